/** Whole models from a hub on this machine: which files are taken, where from, and what is refused. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../src/clip/checkpoint/index.js';
import { InputError } from '../../../src/errors.js';
import {
  type FetchedModel,
  type FetchOptions,
  fetchModel,
  type ModelRequest,
} from '../../../src/node/hub/fetch-model.js';
import { HttpClient } from '../../../src/node/hub/http.js';
import { hubCacheDirectory } from '../../../src/node/hub/hub-cache.js';
import { requireRepositoryId, requireRevision } from '../../../src/node/hub/repository.js';
import { openModelDirectory } from '../../../src/node/model-directory.js';
import { tinyVocabulary } from '../../cli/tiny-vocabulary.js';
import { fixture, tinyClip } from '../../support/tiny-clip.js';
import { goneTag, tagOf } from '../gone-process.js';
import { scratchFolder } from '../scratch.js';
import { gitBlobId, sha256Of, TestServer, testServer } from './test-server.js';

const scratch = scratchFolder();
const server = testServer();
const ID = 'someone/clip-tiny';
const COMMIT = 'c'.repeat(40);
const WEIGHTS = await readFile(fixture('clip-tiny/model.safetensors'));
const CONFIG = await readFile(fixture('clip-tiny/config.json'));
const FILES = { 'config.json': CONFIG, 'merges.txt': tinyVocabulary, 'vocab.json': '{}', 'model.safetensors': WEIGHTS };
const LARGE = { large: ['model.safetensors'] };

let parent: string;
let notes: string[];
let tests = 0;

beforeEach(async () => {
  parent = scratch(`fetch-${tests++}`);
  await mkdir(parent);
  notes = [];
});

const out = () => join(parent, 'model');

async function fetch(request: Partial<ModelRequest> = {}, options: Partial<FetchOptions> = {}): Promise<FetchedModel> {
  using client = new HttpClient({ stallAfter: 5000 });
  const whole = { id: ID, revision: 'main', pins: new Map(), endpoint: new URL(server().origin), cache: undefined };
  return await fetchModel(client, { ...whole, ...request }, out(), {
    retries: 1,
    sleep: async () => {},
    onNote: (note) => void notes.push(note),
    onBytes: (bytes) => server().acknowledge(bytes),
    ...options,
  });
}

async function refusal(outcome: Promise<unknown>): Promise<string> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(await readdir(parent)).not.toContain('model');
  return (error as InputError).message;
}

const resolved = (file: string, commit = COMMIT) => `/${ID}/resolve/${commit}/${file}`;
const asked = (file: string) => server().ranges(resolved(file)).length;
const origins = ({ files }: FetchedModel) => Object.fromEntries(files.map(({ name, from }) => [name, from]));

async function expectModel(): Promise<void> {
  await using model = await openModelDirectory(out());
  expect((await model.tokenizer()).encodeText('a photo', 77).length).toBeGreaterThan(2);
  expect(await readdir(parent)).toEqual(['model']);
}

describe('a model directory', () => {
  test('of the files that it needs, and no others', async () => {
    server().addRepository(ID, { ...FILES, 'flax_model.msgpack': 'x', 'onnx/model.onnx': 'x', '../evil': 'x' }, LARGE);
    const model = await fetch();
    await expectModel();
    expect((await readdir(out())).sort()).toEqual(Object.keys(FILES).sort());
    expect(model.commit).toBe(COMMIT);
    const weights = model.files.find(({ name }) => name === 'model.safetensors');
    expect(weights).toEqual({
      name: 'model.safetensors',
      bytes: WEIGHTS.length,
      hash: { algorithm: 'sha-256', hex: sha256Of(WEIGHTS) },
      checked: true,
      from: 'hub',
    });
    expect(model.files.find(({ name }) => name === 'config.json')?.hash).toEqual({
      algorithm: 'git-sha-1',
      hex: gitBlobId(CONFIG),
    });
  });

  test('with pytorch_model.bin where that is all there is', async () => {
    const { 'model.safetensors': _, ...rest } = FILES;
    server().addRepository(ID, {
      ...rest,
      'pytorch_model.bin': await readFile(fixture('clip-tiny/pytorch_model.bin')),
    });
    await fetch();
    await expectModel();
    expect(await readdir(out())).toContain('pytorch_model.bin');
  });

  test("of shards and their index, and of OpenCLIP's names", async () => {
    const { clip } = await tinyClip('clip-tiny');
    const names = clip.stored.names();
    const files: Record<string, Uint8Array | string> = { 'config.json': CONFIG, 'merges.txt': tinyVocabulary };
    const weightMap: Record<string, string> = {};
    for (const [i, part] of [names.slice(0, 20), names.slice(20)].entries()) {
      const chunks: Uint8Array[] = [];
      const entries = part.map((name) => ({
        name,
        dtype: clip.stored.dtype(name),
        shape: clip.stored.shape(name),
        read: async () => new Uint8Array((await clip.stored.read(name)).buffer),
      }));
      await writeSafetensors(entries, new Map(), (chunk) => void chunks.push(chunk));
      files[`model-0000${i + 1}-of-00002.safetensors`] = Buffer.concat(chunks);
      for (const name of part) weightMap[name] = `model-0000${i + 1}-of-00002.safetensors`;
    }
    const index = JSON.stringify({ weight_map: weightMap });
    server().addRepository(ID, { ...files, 'model.safetensors.index.json': index });
    expect(Object.keys(origins(await fetch()))).toHaveLength(5);
    await expectModel();
    const { 'model-00002-of-00002.safetensors': __, ...incomplete } = files;
    server().addRepository(ID, { ...incomplete, 'model.safetensors.index.json': index }, { revision: 'cut' });
    parent = scratch('cut');
    await mkdir(parent);
    expect(await refusal(fetch({ revision: 'cut' }))).toMatch(
      /model-00002-of-00002\.safetensors is missing, though the index/,
    );
  });

  test('a second time: nothing to do; other contents there: refused', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fetch();
    expect(new Set(Object.values(origins(await fetch())))).toEqual(new Set(['earlier call']));
    expect(asked('model.safetensors')).toBe(1);
    await writeFile(join(out(), 'merges.txt'), 'other');
    await expect(fetch()).rejects.toThrow(/model: the folder is not empty/);
  });
});

describe('interrupted', () => {
  test('the next call goes on in the middle of a file', async () => {
    server().addRepository(ID, FILES, LARGE);
    server().plans.set(resolved('model.safetensors'), [{ dropAfter: 500_000 }]);
    expect(await refusal(fetch({}, { retries: 0 }))).toMatch(/the same command goes on after 500000 bytes/);
    expect(await readdir(parent)).toEqual(['.model.partial']);
    const model = await fetch();
    await expectModel();
    expect(origins(model)).toEqual({
      'config.json': 'earlier call',
      'merges.txt': 'earlier call',
      'vocab.json': 'earlier call',
      'model.safetensors': 'hub',
    });
    expect(server().ranges(resolved('model.safetensors'))).toEqual([undefined, 'bytes=500000-']);
  });

  test('another revision takes over what has not changed', async () => {
    server().addRepository(ID, FILES, LARGE);
    server().plans.set(resolved('model.safetensors'), [{ dropAfter: 500_000 }]);
    await refusal(fetch({}, { retries: 0 }));
    const commit = 'd'.repeat(40);
    const changed = Buffer.from(WEIGHTS);
    changed[changed.length - 1]! ^= 1;
    server().addRepository(ID, { ...FILES, 'model.safetensors': changed }, { ...LARGE, commit, revision: 'next' });
    expect((await fetch({ revision: 'next' })).commit).toBe(commit);
    await expectModel();
    expect(server().ranges(resolved('model.safetensors', commit))).toEqual([undefined]);
    expect(sha256Of(await readFile(join(out(), 'model.safetensors')))).toBe(sha256Of(changed));
  });

  test('by a process that is still there, or no longer', async () => {
    server().addRepository(ID, FILES, LARGE);
    const lock = join(parent, '.model.partial.lock');
    await writeFile(lock, tagOf(1));
    expect(await refusal(fetch())).toMatch(/model: process 1 is writing it; wait for its end, or delete .*\.lock/);
    await writeFile(lock, goneTag);
    await fetch();
    await expectModel();
  });
});

describe("the hub's cache", () => {
  const blobs = () => join(parent, 'cache/models--someone--clip-tiny/blobs');
  const cache = () => join(parent, 'cache');

  /** As huggingface_hub lays it out. */
  async function fillCache(files: Readonly<Record<string, Uint8Array | string>>, commit = COMMIT): Promise<void> {
    const folder = join(cache(), 'models--someone--clip-tiny');
    for (const part of ['refs', 'blobs', `snapshots/${commit}`]) await mkdir(join(folder, part), { recursive: true });
    await writeFile(join(folder, 'refs/main'), commit);
    for (const [name, content] of Object.entries(files)) {
      const bytes = Buffer.from(content);
      const hash = name.endsWith('.safetensors') ? sha256Of(bytes) : gitBlobId(bytes);
      await writeFile(join(folder, 'blobs', hash), bytes);
      await symlink(`../../blobs/${hash}`, join(folder, 'snapshots', commit, name));
    }
  }

  test('what is there is not downloaded', async () => {
    server().addRepository(ID, FILES, LARGE);
    const { 'merges.txt': _, ...some } = FILES;
    await fillCache(some);
    expect(origins(await fetch({ cache: cache() }))).toEqual({
      'config.json': 'cache',
      'merges.txt': 'hub',
      'vocab.json': 'cache',
      'model.safetensors': 'cache',
    });
    expect(asked('model.safetensors')).toBe(0);
    await using model = await openModelDirectory(out());
    expect(await model.hash()).toBe(sha256Of(WEIGHTS));
  });

  test('contents of an older commit too, if they have not changed', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fillCache(FILES, 'a'.repeat(40));
    expect((await fetch({ cache: cache() })).commit).toBe(COMMIT);
    expect(asked('model.safetensors')).toBe(0);
  });

  test('a damaged file there is passed over, and that is said', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fillCache(FILES);
    const damaged = Buffer.from(WEIGHTS);
    damaged[7777]! ^= 1;
    await writeFile(join(blobs(), sha256Of(WEIGHTS)), damaged);
    expect(origins(await fetch({ cache: cache() }))).toMatchObject({ 'model.safetensors': 'hub' });
    expect(notes).toEqual([expect.stringMatching(/not what its name says, passed over$/)]);
  });

  test('files without links and hashes serve as they are', async () => {
    const folder = join(cache(), 'models--someone--clip-tiny');
    await mkdir(join(folder, 'snapshots', COMMIT), { recursive: true });
    for (const [name, content] of Object.entries(FILES))
      await writeFile(join(folder, 'snapshots', COMMIT, name), content);
    const model = await fetch({ cache: cache(), revision: COMMIT });
    expect(model.files.map(({ checked }) => checked)).toEqual([false, false, false, false]);
  });

  test('a whole commit there needs no hub, and no hub is needed for what was there last', async () => {
    await fillCache(FILES);
    expect((await fetch({ cache: cache(), revision: COMMIT })).commit).toBe(COMMIT);
    expect(server().seen).toEqual([]);
    const gone = await TestServer.start();
    const endpoint = new URL(gone.origin);
    await gone.stop();
    parent = scratch('offline');
    await mkdir(parent);
    await fillCache(FILES);
    expect((await fetch({ cache: cache(), endpoint })).commit).toBe(COMMIT);
    expect(notes).toEqual([
      expect.stringMatching(/ECONNREFUSED.*taking someone\/clip-tiny at cccccccccccc from the cache/),
    ]);
    await expect(fetch({ cache: join(parent, 'none'), endpoint })).rejects.toThrow(/ECONNREFUSED/);
  });

  test('is where the environment says', () => {
    expect(hubCacheDirectory({ HF_HUB_CACHE: '/a', HF_HOME: '/b' })).toBe('/a');
    expect(hubCacheDirectory({ HF_HOME: '/b' })).toBe('/b/hub');
    expect(hubCacheDirectory({ XDG_CACHE_HOME: '/c' })).toBe('/c/huggingface/hub');
    expect(hubCacheDirectory({})).toMatch(/\/\.cache\/huggingface\/hub$/);
  });
});

describe('pins', () => {
  test('hold against what the hub lists and what it serves', async () => {
    server().addRepository(ID, FILES, LARGE);
    const pins = new Map([['model.safetensors', 'f'.repeat(64)]]);
    expect(await refusal(fetch({ pins }))).toBe(
      `${ID}: model.safetensors should have SHA-256 ${'f'.repeat(64)}, ${server().url('/').host} has ${sha256Of(WEIGHTS)}`,
    );
    // Listed without a SHA-256, the contents decide.
    server().addRepository(ID, FILES);
    expect(await refusal(fetch({ pins }))).toMatch(
      /model\.safetensors: wrong contents, deleted: expected sha-256 ffff/,
    );
    expect(await refusal(fetch({ pins: new Map([['weights.bin', 'f'.repeat(64)]]) }))).toMatch(
      /has no weights\.bin at commit/,
    );
    await fetch({ pins: new Map([['model.safetensors', sha256Of(WEIGHTS)]]) });
    await expectModel();
  });
});

test('links where an earlier call would have left files are not written through', async () => {
  server().addRepository(ID, FILES, LARGE);
  const precious = join(parent, 'precious');
  await writeFile(precious, 'precious text');
  const partial = join(parent, '.model.partial');
  for (const name of ['config.json.part', 'config.json.part.json', 'merges.txt', 'merges.txt.copy']) {
    await mkdir(partial);
    await symlink(precious, join(partial, name));
    expect(await refusal(fetch())).toBe(
      `${partial}/${name}: expected what an earlier call left, found a link or a device; delete it`,
    );
    await rm(partial, { recursive: true });
  }
  await mkdir(join(parent, 'elsewhere'));
  await symlink(join(parent, 'elsewhere'), partial);
  expect(await refusal(fetch())).toMatch(/\.model\.partial: expected what an earlier call left/);
  expect(await readdir(join(parent, 'elsewhere'))).toEqual([]);
  expect(await readFile(precious, 'utf8')).toBe('precious text');
});

describe('refused before the weights are downloaded', () => {
  const { 'config.json': _, ...noConfig } = FILES;
  const { 'merges.txt': __, ...noMerges } = FILES;
  const { 'model.safetensors': ___, ...noWeights } = FILES;
  test.each([
    ['no config.json', noConfig, /no config\.json at .*; is this a CLIP\?/],
    ['no merges.txt', noMerges, /no merges\.txt at/],
    ['no weights', { ...noWeights, 'tf_model.h5': 'x' }, /no weights in PyTorch's or safetensors' format/],
    [
      'another kind of model',
      { ...FILES, 'config.json': '{"model_type":"bert"}' },
      /model_type should be "clip", found "bert"/,
    ],
  ] as [string, Record<string, string | Uint8Array>, RegExp][])('%s', async (_name, files, message) => {
    server().addRepository(ID, files, LARGE);
    expect(await refusal(fetch())).toMatch(message);
    expect(asked('model.safetensors')).toBe(0);
  });

  test.each([
    [404, /^someone\/clip-tiny \(revision main\) at 127\.0\.0\.1:\d+: there is no such model or revision \(404\)$/],
    [401, /no access \(401\); the name is wrong, or the model is private or gated: set HF_TOKEN/],
    [403, /no access \(403\)/],
  ])('answer %i', async (status, message) => {
    server().plans.set(`/api/models/${ID}/revision/main`, [{ status }]);
    expect(await refusal(fetch())).toMatch(message);
  });

  test('a server that is no hub', async () => {
    const list = `/api/models/${ID}/revision/main`;
    for (const page of ['<html>', '[]', '{"sha":"main","siblings":[]}', `{"sha":"${COMMIT}"}`]) {
      server().files.set(list, new TextEncoder().encode(page));
      expect(await refusal(fetch())).toMatch(/is this a hub\?$/);
    }
  });

  test('weights that are gated though the list is not', async () => {
    server().addRepository(ID, FILES, LARGE);
    server().plans.set(resolved('model.safetensors'), [{ status: 403 }]);
    expect(await refusal(fetch())).toMatch(/model\.safetensors \(revision main\) at .*: no access \(403\)/);
  });

  test('weights that do not fit the configuration stay for a look', async () => {
    const weights = await readFile(fixture('clip-tiny/expected.safetensors'));
    server().addRepository(ID, { ...FILES, 'model.safetensors': weights });
    expect(await refusal(fetch())).toMatch(/tensor "logit_scale" \[\] is missing/);
  });

  test('names that would be paths', () => {
    for (const id of ['../x', 'a/b/c', 'a//b', '', 'a b', 'a/..', '.x', 'ViT-B/32/', 'https://host/x']) {
      expect(() => requireRepositoryId(id), id).toThrow(/expected ViT-B\/32, ViT-B\/16, ViT-L\/14 or a model/);
    }
    for (const id of ['openai/clip-vit-base-patch32', 'gpt2', 'a_b/c.d-e']) expect(requireRepositoryId(id)).toBe(id);
    for (const revision of ['', '..', 'a/../b', '/a', 'a/', 'a b', 'a\\b', '%2e']) {
      expect(() => requireRevision(revision), revision).toThrow(/expected a branch, a tag or a commit/);
    }
    for (const revision of ['main', 'refs/pr/1', 'v1.0']) expect(requireRevision(revision)).toBe(revision);
  });
});

test('two calls for one folder do not mix', async () => {
  server().addRepository(ID, FILES, LARGE);
  const outcomes = await Promise.allSettled([fetch(), fetch()]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expectModel();
});
