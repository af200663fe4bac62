/** "From nothing to a prediction in five commands": the README's lines as they stand, with a small model on a local hub and small pictures. */
import { copyFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { testServer } from '../node/hub/test-server.js';
import { writePublished } from '../support/published-datasets.js';
import { fixture, ptdpc, scratchPath, setUpProgram } from './program.js';
import { tinyVocabJson, tinyVocabulary } from './tiny-vocabulary.js';

setUpProgram();
const server = testServer();

/** What stands for OpenAI's weights, which are no part of this repository. */
const MODEL = 'someone/clip-tiny';

/** The command lines of the README's first block after `## Use`: words of each, the program's name left out. */
async function newcomerLines(): Promise<string[][]> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, block] = /\n## Use\n.*?```sh\n(.*?)```/s.exec(readme)!;
  return block!
    .trim()
    .split('\n')
    .flatMap((line) => line.replace(/ +#.*$/, '').split(' && '))
    .map((line) => {
      const [npx, program, ...words] = line.trim().split(/ +/);
      expect([npx, program]).toEqual(['npx', 'ptdpc']);
      return words.map((word) => (word === 'ViT-B/32' ? MODEL : word));
    });
}

test('the five lines, from fetch to a prediction', async () => {
  const files = {
    'config.json': await readFile(fixture('clip-tiny/config.json')),
    'merges.txt': tinyVocabulary,
    'vocab.json': tinyVocabJson,
    'model.safetensors': await readFile(fixture('clip-tiny/model.safetensors')),
  };
  server().addRepository(MODEL, files, { large: ['model.safetensors'] });
  await writePublished(scratchPath('fi'), 'fi8');
  await copyFile(scratchPath('fi/test/awe/awe_0.jpg'), scratchPath('holiday.jpg'));
  const hub = {
    HF_ENDPOINT: server().origin,
    HF_HUB_CACHE: scratchPath('no-hub-cache'),
    HTTP_PROXY: '',
    http_proxy: '',
  };
  const lines = await newcomerLines();
  expect(lines.map(([command]) => command)).toEqual(['fetch', 'zeroshot', 'train', 'eval', 'report', 'predict']);
  const printed = new Map<string, string>();
  for (const words of lines) {
    const { code, stdout, stderr } = await ptdpc(words, hub);
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
    printed.set(words[0]!, stdout);
  }
  expect(printed.get('zeroshot')).toMatch(/^zero-shot, test: accuracy \d+\.\d % of 16 images, loss /);
  expect(printed.get('train')).toMatch(/^runs\/fi: train accuracy \d+\.\d %, validation accuracy \d+\.\d %\n$/);
  expect(printed.get('eval')).toMatch(/^test: accuracy \d+\.\d % of 16 images, loss /);
  expect(printed.get('report')).toBe('runs/fi/report.html\n');
  expect(await readFile(scratchPath('runs/fi/report.html'), 'utf8')).toMatch(/<svg.*<img .*src="data:image\/jpeg/s);
  expect(printed.get('predict')).toMatch(/^holiday\.jpg(?: +[a-z]+ \d+\.\d %){3}\n$/);
});
