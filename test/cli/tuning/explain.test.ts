/** `explain` on the runs of short trainings: what it prints for people and for programs, in every mode. */
import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import type { ImageExplanation, PromptExplanation } from '../../../src/ptdpc/index.js';
import { expectRefused, leastMemory, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { expectDone, setUpModelAndImages, train, WORDS } from './support.js';

interface ExplainJson extends PromptExplanation {
  run: string;
  images: (ImageExplanation & { path: string })[];
  skipped: { path: string; reason: string }[];
}

setUpProgram();
setUpModelAndImages();

beforeAll(async () => {
  for (const mode of ['both', 'is', 'cs', 'none']) {
    await train(mode, '--mode', mode, '--epochs', '1', '--lr', '0.5', '--template', 'a photo of');
  }
});

const EXPLAIN = (run: string) => ['explain', '--run', run, '--device', 'cpu'];
const IMAGE = 'data/test/awe/00.png';

test('--json agrees with predict, has all weights, and a start and neighbours for every learned token', async () => {
  const explained = await ptdpcJson<ExplainJson>([...EXPLAIN('both'), IMAGE, 'data/test/sadness', '--top', '4']);
  const { predictions } = await ptdpcJson<{ predictions: { predicted: string; probabilities: object }[] }>([
    ...['predict', '--run', 'both', '--device', 'cpu'],
    ...[IMAGE, 'data/test/sadness'],
  ]);
  expect(explained).toMatchObject({ run: 'both', mode: 'both', metric: 'cosine', skip: [], absent: [], skipped: [] });
  expect(explained.classes).toEqual([...WORDS]);
  expect(explained.images).toHaveLength(4);
  for (const [i, { predicted, probabilities, weights }] of explained.images.entries()) {
    expect(explained.classes[predicted]).toBe(predictions[i]!.predicted);
    expect(probabilities).toEqual(Object.values(predictions[i]!.probabilities));
    expect(weights).toHaveLength(WORDS.length);
    for (const row of weights!) expect(row).toHaveLength(explained.tokens.length);
  }
  expect(explained.prompts.map((prompt) => prompt.class)).toEqual([0, 1, 2]);
  for (const { tokens } of explained.prompts) {
    expect(tokens).toHaveLength(explained.tokens.length);
    for (const { nearest } of tokens) expect(nearest).toHaveLength(4);
  }
});

test('without an image there are only the words, for people too', async () => {
  const words = await expectDone([...EXPLAIN('cs'), '--top', '2', '--metric', 'euclidean']);
  const blocks = words.stdout.trimEnd().split('\n\n');
  expect(blocks.map((block) => block.split('\n')[0])).toEqual(
    WORDS.map((word) => `${word}: nearest words by distance`),
  );
  expect(blocks[0]!.split('\n')[1]).toMatch(/^token +began as +distance +nearest 1 +nearest 2$/);
  expect(words.stderr).toMatch(/no weights: the prompts are the same for every image\n/);
});

test('a shared prompt has one row of weights; what a mode has not is said', async () => {
  const shared = await expectDone([...EXPLAIN('is'), IMAGE, '--top', '1']);
  expect(shared.stdout).toMatch(/^data\/test\/awe\/00\.png:\nclass +probability +w\(a\).*\nawe +\d+\.\d %\n/);
  expect(shared.stdout).toMatch(/\n\(shared prompt\)( +-?0\.\d{4})+\n\nall classes: nearest words by similarity\n/);
  expect(shared.stderr).toMatch(/no class-specific tokens: all classes share one prompt\n/);
  const { images, prompts, absent } = await ptdpcJson<ExplainJson>([...EXPLAIN('none'), IMAGE]);
  expect(images[0]!.weights).toBeNull();
  expect([prompts.length, prompts[0]!.class, absent.length]).toEqual([1, null, 2]);
});

test('passes over kinds of tokens, in any memory that suffices, and refuses the rest', async () => {
  const plain = [...EXPLAIN('none'), '--skip', 'special, fragments'];
  const explained = await ptdpcJson<ExplainJson>(plain);
  expect(explained.skip).toEqual(['special', 'fragments']);
  const kinds = explained.prompts[0]!.tokens.flatMap(({ nearest }) => nearest.map(({ kind }) => kind));
  expect(new Set(kinds)).toEqual(new Set(['word']));
  expect(await ptdpcJson<ExplainJson>([...plain, '--memory', await leastMemory(plain)])).toEqual(explained);
  await expectRefused([...plain, '--memory', '1KiB'], /--memory: comparing \d+ learned tokens/);
  await expectRefused([...EXPLAIN('none'), '--skip', 'verbs'], /Expected some of special, fragments, template/);
  await expectRefused([...EXPLAIN('nowhere')], /nowhere\/run\.json: not found/);
  await expectRefused([...EXPLAIN('none'), 'nothing.png'], /nothing\.png: cannot be opened/);
});

test('an unreadable image beside a good one is skipped, and said', async () => {
  await writeFile(scratchPath('broken.jpg'), 'this is text');
  const { images, skipped } = await ptdpcJson<ExplainJson>([...EXPLAIN('both'), IMAGE, 'broken.jpg']);
  expect([images.map(({ path }) => path), skipped.map(({ path }) => path)]).toEqual([[IMAGE], ['broken.jpg']]);
});
