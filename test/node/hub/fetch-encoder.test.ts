/** Encoders that are published as one file, which says its hash in its name: fetched, resumed, repeated, and refused. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EncoderRequest, fetchEncoder } from '../../../src/node/hub/fetch-encoder.js';
import type { FetchedFile } from '../../../src/node/hub/fetch-model.js';
import { HttpClient } from '../../../src/node/hub/http.js';
import { hashInName, PAPER_ENCODERS, PUBLISHED_ENCODERS } from '../../../src/node/hub/published-encoders.js';
import { openEncoder } from '../../../src/node/image-encoder.js';
import { fixture } from '../../support/tiny-clip.js';
import { fetch, out, parent, refusal, server } from './fetch-support.js';
import { sha256Of } from './test-server.js';

const VIT = await readFile(fixture('vit-tiny/vit.pth'));
const NAME = `vit-${sha256Of(VIT).slice(0, 8)}.pth`;

/** A name of another hash than the ViT's. */
const WRONG = 'vit-00000000.pth';

async function fetched(file: string, request: Partial<EncoderRequest> = {}): Promise<FetchedFile> {
  using client = new HttpClient({ stallAfter: 5000 });
  const options = { retries: 1, sleep: async () => {}, onBytes: (bytes: number) => server().acknowledge(bytes) };
  return await fetchEncoder(client, { base: `${server().origin}/models/`, file, ...request }, out(), options);
}

describe('a file', () => {
  test('is fetched into a folder that opens as the encoder, resumed after a lost connection, and not fetched twice', async () => {
    server().files.set(`/models/${NAME}`, VIT);
    server().plans.set(`/models/${NAME}`, [{ dropAfter: 10_000 }]);
    const first = await fetched(NAME);
    expect(first).toMatchObject({ name: NAME, bytes: VIT.length, checked: true, from: 'publisher' });
    expect(first.hash.hex).toBe(sha256Of(VIT));
    expect(server().ranges(`/models/${NAME}`)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]/)]);
    expect(await readdir(parent())).toEqual(['model']);
    expect(await readdir(out())).toEqual([NAME]);
    for (const path of [out(), join(out(), NAME)]) {
      await using encoder = await openEncoder(path, { features: 'pooled' });
      expect(encoder.config.kind).toBe('vit');
    }
    expect(sha256Of(await readFile(join(out(), NAME)))).toBe(sha256Of(VIT));
    expect(await fetched(NAME)).toMatchObject({ from: 'earlier call', checked: true });
    expect(server().ranges(`/models/${NAME}`)).toHaveLength(2);
  });

  test('comes from a mirror that has the same files', async () => {
    server().files.set(`/mirror/${NAME}`, VIT);
    const mirror = server().url('/mirror');
    expect(await fetched(NAME, { base: 'https://nowhere.invalid/', mirror })).toMatchObject({ from: 'publisher' });
  });

  test('is refused if its hash is not that of its name, wherever it comes from', async () => {
    server().files.set(`/models/${WRONG}`, VIT);
    expect(await refusal(fetched(WRONG))).toMatch(
      new RegExp(`^${WRONG}: wrong contents, deleted: expected sha-256 00000000, found ${sha256Of(VIT)}$`),
    );
    await mkdir(out());
    const path = join(out(), WRONG);
    await writeFile(path, VIT);
    const mislabelled = new RegExp(
      `${WRONG}: mislabelled or damaged: by its name its SHA-256 begins with 00000000, found ${sha256Of(VIT).slice(0, 8)}\\.\\.\\.; fetch it again`,
    );
    await expect(fetched(WRONG)).rejects.toThrow(mislabelled);
    for (const given of [out(), path])
      await expect(openEncoder(given, { features: 'pooled' })).rejects.toThrow(mislabelled);
  });

  test('is refused if it is no encoder', async () => {
    const clip = await readFile(fixture('clip-tiny/openai_torchscript.pt'));
    const name = `clip-${sha256Of(clip).slice(0, 8)}.pth`;
    server().files.set(`/models/${name}`, clip);
    expect(await refusal(fetched(name))).toMatch(/expected a model directory of a CLIP, or the checkpoint of /);
  });
});

test('a repository on the hub needs no vocabulary if it is said to hold another encoder', async () => {
  const beit = await readFile(fixture('beit-tiny/tuned_hf.safetensors'));
  const files = { 'config.json': '{"model_type":"beit"}', 'model.safetensors': beit };
  server().addRepository('someone/clip-tiny', files, { large: ['model.safetensors'] });
  expect(await refusal(fetch())).toMatch(
    /neither merges\.txt nor tokenizer\.json .*; if it is another image encoder, pass --encoder$/,
  );
  const { files: fetchedFiles } = await fetch({ isEncoder: true });
  expect(fetchedFiles.map(({ name, checked }) => [name, checked])).toEqual([
    ['config.json', true],
    ['model.safetensors', true],
  ]);
  await using encoder = await openEncoder(out(), { features: 'pooled' });
  expect(encoder.config.kind).toBe('beit');
});

test('every published file says its hash in its name', () => {
  const files = [...PUBLISHED_ENCODERS].flatMap(([name, found]) =>
    'file' in found ? [[name, found.file] as const] : [],
  );
  for (const [name, file] of files) expect(hashInName(file), name).toMatch(/^[0-9a-f]{8}$/);
  expect(new Set(files.map(([, file]) => file)).size).toBe(files.length - 1);
  expect(PAPER_ENCODERS).toEqual(['alexnet', 'vgg16', 'resnet101', 'deit', 'beit']);
});
