/** `ptdpc fetch` from a hub and from OpenAI's archive, interrupted and repeated. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sha256Of, TestServer, testServer } from '../node/hub/test-server.js';
import {
  expectRefused,
  fixture,
  outcomeOf,
  ptdpc,
  ptdpcJson,
  scratchNames,
  scratchPath,
  setUpProgram,
  startPtdpc,
} from './program.js';
import { tinyVocabJson, tinyVocabulary } from './tiny-vocabulary.js';

setUpProgram();
const server = testServer();
const ID = 'someone/clip-tiny';
const WEIGHTS = await readFile(fixture('clip-tiny/model.safetensors'));
const FILES = {
  'config.json': await readFile(fixture('clip-tiny/config.json')),
  'merges.txt': tinyVocabulary,
  'vocab.json': tinyVocabJson,
  'model.safetensors': WEIGHTS,
};
const WEIGHTS_PATH = `/${ID}/resolve/${'c'.repeat(40)}/model.safetensors`;

const hub = (env: NodeJS.ProcessEnv = {}) => ({
  HF_ENDPOINT: server().origin,
  HF_HUB_CACHE: scratchPath('no-hub-cache'),
  HTTP_PROXY: '',
  http_proxy: '',
  ...env,
});

const addModel = () => server().addRepository(ID, FILES, { large: ['model.safetensors'] });

test('fetches a model that other commands open, and sends the token to the hub only', async () => {
  const store = await TestServer.start();
  try {
    addModel();
    server().plans.set(WEIGHTS_PATH, [{ redirectTo: `${store.origin}/blob?signature=secret` }]);
    store.files.set('/blob', WEIGHTS);
    const out = scratchPath('model');
    const args = ['fetch', ID, '--out', out];
    const { code, stdout, stderr } = await ptdpc(args, hub({ HF_TOKEN: 'hf_hush' }));
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /model: someone\/clip-tiny at cccccccccccc, 4 files, \d MB \(hub\)\nhashes checked; npx ptdpc verify /,
    );
    expect(stderr).not.toMatch(/hush|secret/);
    expect(server().seen.map(({ headers }) => headers.authorization)).toContain('Bearer hf_hush');
    expect(store.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const tokens = await ptdpc(['tokenize', '--model', out, 'a photo']);
    expect([tokens.code, JSON.parse(tokens.stdout).length > 2]).toEqual([0, true]);
    const image = fixture('preprocess/12_1x1_RGB.png');
    expect((await ptdpc(['embed', '--model', out, image, '--out', scratchPath('features')])).code).toBe(0);
    // A second call has nothing to do, which is not an error.
    const again = await ptdpc([...args, '--json'], hub());
    expect(JSON.parse(again.stdout)).toMatchObject({
      id: ID,
      files: [{}, {}, {}, { from: 'earlier call', checked: true }],
    });
  } finally {
    await store.stop();
  }
});

test.each(['SIGINT', 'SIGKILL'] as const)('resumes after %s', async (signal) => {
  addModel();
  server().plans.set(WEIGHTS_PATH, [{ stallAfter: 1_000_000 }]);
  const name = `interrupted-${signal}`;
  const args = ['fetch', ID, '--out', scratchPath(name)];
  const child = startPtdpc(args, hub());
  const outcome = outcomeOf(child);
  const partial = scratchPath(`.${name}.partial/model.safetensors.part`);
  while (((await readFile(partial).catch(() => undefined))?.length ?? 0) < 500_000) {
    expect(child.exitCode).toBeNull();
    await setTimeout(20);
  }
  child.kill(signal);
  const stderr = `if interrupted, resume with: npx ptdpc ${args.join(' ')}\n`;
  expect(await outcome).toEqual({ code: null, signal, stdout: '', stderr });
  expect(await scratchNames()).not.toContain(name);
  expect((await ptdpc(args, hub())).code).toBe(0);
  expect(server().ranges(WEIGHTS_PATH)[1]).toMatch(/^bytes=[1-9]\d*-$/);
  expect(sha256Of(await readFile(join(scratchPath(name), 'model.safetensors')))).toBe(sha256Of(WEIGHTS));
  expect((await scratchNames()).filter((entry) => entry.startsWith(`.${name}`))).toEqual([]);
});

test("checks OpenAI's models against known hashes", async () => {
  const commit = '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268';
  const { 'model.safetensors': weights, ...rest } = FILES;
  const files = { ...rest, 'pytorch_model.bin': weights };
  const id = 'openai/clip-vit-base-patch32';
  server().addRepository(id, files, { commit, large: ['pytorch_model.bin'] });
  await expectRefused(
    ['fetch', 'ViT-B/32', '--out', scratchPath('pinned')],
    /pytorch_model\.bin should have SHA-256 a63082132ba4f97a.*, 127\.0\.0\.1:\d+ has [0-9a-f]{64}$/,
    hub(),
  );
  // Not if the user names a revision.
  const { code, stderr } = await ptdpc(
    ['fetch', 'ViT-B/32', '--revision', 'main', '--out', scratchPath('main')],
    hub(),
  );
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/clip-vit-base-patch32 at 3d74acf9a28c.*\nhashes checked; npx ptdpc verify /),
  ]);
});

test('reports retries; a wrong hash is final', async () => {
  addModel();
  server().plans.set(WEIGHTS_PATH, [{ status: 503, headers: { 'retry-after': '0' } }]);
  const { code, stderr } = await ptdpc(['fetch', ID, '--out', scratchPath('retried')], hub());
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^if interrupted, .*\nmodel\.safetensors: the server answered 503; retrying in 0\.0 s\n/),
  ]);
  server().plans.set(WEIGHTS_PATH, [{ instead: new Uint8Array(WEIGHTS.length) }]);
  await expectRefused(
    ['fetch', ID, '--out', scratchPath('wrong')],
    /^ptdpc: model\.safetensors: wrong contents, deleted: expected sha-256 [0-9a-f]{64}, found [0-9a-f]{64}$/,
    hub(),
  );
  expect((await readdir(scratchPath('.wrong.partial'))).sort()).toEqual(['config.json', 'merges.txt', 'vocab.json']);
  await rm(scratchPath('.wrong.partial'), { recursive: true });
});

test("--from: OpenAI's archive, by URL and by path", async () => {
  const archive = fixture('clip-tiny/openai_torchscript.pt');
  const bytes = await readFile(archive);
  const vocabulary = scratchPath('vocabulary.txt');
  await writeFile(vocabulary, tinyVocabulary);
  // As in OpenAI's URLs, the hash precedes the name.
  const path = `/clip/models/${sha256Of(bytes)}/tiny.pt`;
  server().files.set(path, bytes);
  server().plans.set(path, [{ resetAfter: 500_000 }]);
  const url = server().url(path).href;
  const byUrl = scratchPath('by-url');
  const report = await ptdpcJson<object>(['fetch', '--from', url, '--vocab', vocabulary, '--out', byUrl]);
  expect(report).toEqual({ out: byUrl, from: url, sha256: sha256Of(bytes), expected: true });
  const byPath = scratchPath('by-path');
  const { code, stderr } = await ptdpc(['fetch', '--from', archive, '--vocab', vocabulary, '--out', byPath]);
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/in f32, quick_gelu\nSHA-256 [0-9a-f]{64}; not checked, since --sha256 was not given/),
  ]);
  for (const name of ['model.safetensors', 'merges.txt', 'config.json']) {
    expect(sha256Of(await readFile(join(byUrl, name)))).toBe(sha256Of(await readFile(join(byPath, name))));
  }
  expect((await scratchNames()).filter((name) => name.includes('.partial'))).toEqual([]);

  const from = ['fetch', '--from', archive, '--out', scratchPath('never')];
  await expectRefused(from, /--from: a checkpoint file has no vocabulary; give one with --vocab/);
  await expectRefused([...from, '--vocab', 'none.txt'], /none\.txt: cannot be opened/);
  const given = [...from, '--vocab', vocabulary];
  await expectRefused([...given, '--sha256', 'a'.repeat(64)], /wrong contents: expected SHA-256 aaaa.*, found /);
  await expectRefused(['fetch', 'ViT-B/16', ...given.slice(1)], /expected SHA-256 5806e77cd80f8b59/);
  await mkdir(scratchPath('named'));
  const named = scratchPath('named/ViT-L-14.pt');
  await copyFile(archive, named);
  await expectRefused(['fetch', '--from', named, ...given.slice(3)], /expected SHA-256 b8cca3fd41ae0c99/);
});

test('refuses wrong arguments in one line', async () => {
  const out = ['--out', scratchPath('none')];
  await expectRefused(['fetch', ...out], /fetch: expected a model, such as ViT-B\/32, or --from/);
  await expectRefused(['fetch', '../etc', ...out], /"\.\.\/etc": expected ViT-B\/32/);
  await expectRefused(['fetch', 'ViT-B/3', ...out], /unknown model ViT-B\/3; expected ViT-B\/32, .* <owner>\/<name>$/);
  for (const [name, meant] of [
    ['vitb32', 'ViT-B/32'],
    ['ViT-L-14', 'ViT-L/14'],
  ] as const) {
    const asked = new RegExp(
      `^ptdpc: fetch: unknown model ${name} \\(did you mean ${meant}\\?\\); expected ViT-B/32, `,
    );
    await expectRefused(['fetch', name, ...out], asked);
  }
  await expectRefused(['fetch', 'gpt2', ...out], /unknown model gpt2; expected ViT-B\/32/);
  await expectRefused(['fetch', ID, ...out, '--revision', '../x'], /--revision "\.\.\/x": expected a branch/);
  await expectRefused(['fetch', ID, ...out, '--endpoint', 'ftp://x'], /--endpoint: expected a URL/);
  await expectRefused(['fetch', ID, ...out], /HF_ENDPOINT: expected a URL/, hub({ HF_ENDPOINT: 'nowhere' }));
  await expectRefused(['fetch', ID, ...out, '--vocab', 'x'], /--vocab: only with --from/);
  await expectRefused(['fetch', ID, ...out, '--sha256', 'x'], /--sha256.*64 hexadecimal digits/);
  await expectRefused(['fetch', ID, ...out], /HF_TOKEN: expected letters and digits/, hub({ HF_TOKEN: 'a b' }));
  await expectRefused(['fetch', ID, ...out], /there is no such model or revision \(404\)/, hub());
  expect(await scratchNames()).not.toContain('none');
});
