/** Fetches whole models from a local hub: which files, from where, and how an interrupted fetch resumes. */
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../src/clip/checkpoint/index.js';
import { hubCacheDirectory } from '../../../src/node/hub/repository.js';
import { openModelDirectory } from '../../../src/node/model-directory.js';
import { tinyVocabulary } from '../../cli/tiny-vocabulary.js';
import { fixture, tinyClip } from '../../support/tiny-clip.js';
import { goneTag, tagOf } from '../gone-process.js';
import {
  asked,
  COMMIT,
  CONFIG,
  expectModel,
  FILES,
  fetch,
  ID,
  LARGE,
  newParent,
  notes,
  origins,
  out,
  parent,
  refusal,
  resolved,
  server,
  WEIGHTS,
} from './fetch-support.js';
import { gitBlobId, sha256Of, TestServer } from './test-server.js';

describe('creates a model directory', () => {
  test('from the files that a model needs, and no others', async () => {
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

  test('with pytorch_model.bin if there are no other weights', async () => {
    const { 'model.safetensors': _, ...rest } = FILES;
    server().addRepository(ID, {
      ...rest,
      'pytorch_model.bin': await readFile(fixture('clip-tiny/pytorch_model.bin')),
    });
    await fetch();
    await expectModel();
    expect(await readdir(out())).toContain('pytorch_model.bin');
  });

  test('with sharded weights and their index', async () => {
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
    await newParent('cut');
    expect(await refusal(fetch({ revision: 'cut' }))).toMatch(
      /model-00002-of-00002\.safetensors is missing, though the index/,
    );
  });

  test('once: a second call changes nothing, and other contents are refused', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fetch();
    // As a process leaves it that is killed after its model has taken its place.
    await writeFile(join(parent(), '.model.partial.lock'), goneTag);
    expect(new Set(Object.values(origins(await fetch())))).toEqual(new Set(['earlier call']));
    expect(asked('model.safetensors')).toBe(1);
    expect((await readdir(parent())).filter((name) => name.endsWith('.lock'))).toEqual([]);
    await writeFile(join(out(), 'merges.txt'), 'other');
    await expect(fetch()).rejects.toThrow(/model: the folder is not empty/);
  });
});

describe('after an interruption', () => {
  test('the next call resumes in the middle of a file', async () => {
    server().addRepository(ID, FILES, LARGE);
    server().plans.set(resolved('model.safetensors'), [{ dropAfter: 500_000 }]);
    expect(await refusal(fetch({}, { retries: 0 }))).toMatch(/run the same command to continue after 500000 bytes/);
    expect(await readdir(parent())).toEqual(['.model.partial']);
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

  test('another revision reuses the files that have not changed', async () => {
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

  test('by a kill between two steps, remains are removed', async () => {
    server().addRepository(ID, FILES, LARGE);
    const partial = join(parent(), '.model.partial');
    await mkdir(partial);
    await writeFile(join(partial, 'config.json'), CONFIG);
    // Beside a complete file, from a copy out of the cache, and from another revision.
    for (const name of ['config.json.part.json', 'merges.txt.copy', 'special_tokens_map.json', 'model.bin.part'])
      await writeFile(join(partial, name), '{}');
    expect(origins(await fetch())).toMatchObject({ 'config.json': 'earlier call' });
    await expectModel();
    expect((await readdir(out())).sort()).toEqual(Object.keys(FILES).sort());
  });

  test('a running process keeps the lock, an ended one does not', async () => {
    server().addRepository(ID, FILES, LARGE);
    const lock = join(parent(), '.model.partial.lock');
    await writeFile(lock, tagOf(1));
    expect(await refusal(fetch())).toMatch(/model: process 1 is writing it; wait for its end, or delete .*\.lock/);
    await writeFile(lock, goneTag);
    await fetch();
    await expectModel();
  });
});

describe('the hub cache', () => {
  const blobs = () => join(parent(), 'cache/models--someone--clip-tiny/blobs');
  const cache = () => join(parent(), 'cache');

  /** In the layout of huggingface_hub. */
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

  test('saves downloads', async () => {
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

  test('provides unchanged contents of an older commit', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fillCache(FILES, 'a'.repeat(40));
    expect((await fetch({ cache: cache() })).commit).toBe(COMMIT);
    expect(asked('model.safetensors')).toBe(0);
  });

  test('reports a damaged file, which is downloaded', async () => {
    server().addRepository(ID, FILES, LARGE);
    await fillCache(FILES);
    const damaged = Buffer.from(WEIGHTS);
    damaged[7777]! ^= 1;
    await writeFile(join(blobs(), sha256Of(WEIGHTS)), damaged);
    expect(origins(await fetch({ cache: cache() }))).toMatchObject({ 'model.safetensors': 'hub' });
    expect(notes()).toEqual([
      expect.stringMatching(/damaged, its hash is wrong; downloading model\.safetensors instead$/),
    ]);
  });

  test('provides files without links and hashes unchecked', async () => {
    const folder = join(cache(), 'models--someone--clip-tiny');
    await mkdir(join(folder, 'snapshots', COMMIT), { recursive: true });
    for (const [name, content] of Object.entries(FILES))
      await writeFile(join(folder, 'snapshots', COMMIT, name), content);
    const model = await fetch({ cache: cache(), revision: COMMIT });
    expect(model.files.map(({ checked }) => checked)).toEqual([false, false, false, false]);
  });

  test('replaces the hub for a complete commit, and for a branch if the hub cannot be reached', async () => {
    await fillCache(FILES);
    expect((await fetch({ cache: cache(), revision: COMMIT })).commit).toBe(COMMIT);
    expect(server().seen).toEqual([]);
    const gone = await TestServer.start();
    const endpoint = new URL(gone.origin);
    await gone.stop();
    await newParent('offline');
    await fillCache(FILES);
    expect((await fetch({ cache: cache(), endpoint })).commit).toBe(COMMIT);
    expect(notes()).toEqual([
      expect.stringMatching(/ECONNREFUSED.*using someone\/clip-tiny at cccccccccccc from the cache/),
    ]);
    await expect(fetch({ cache: join(parent(), 'none'), endpoint })).rejects.toThrow(/ECONNREFUSED/);
  });

  test('which others may write to, vouches for nothing; nor does a link out of it lead anywhere', async () => {
    await fillCache(FILES);
    await chmod(cache(), 0o777);
    const gone = await TestServer.start();
    const endpoint = new URL(gone.origin);
    await gone.stop();
    for (const revision of ['main', COMMIT])
      await expect(fetch({ cache: cache(), endpoint, revision })).rejects.toThrow(/ECONNREFUSED/);
    // The hub's list has the hashes: with them, its files are as good as any.
    server().addRepository(ID, FILES, LARGE);
    expect(origins(await fetch({ cache: cache(), revision: COMMIT }))).toMatchObject({ 'model.safetensors': 'cache' });

    await newParent('private-file');
    await fillCache(FILES);
    const precious = join(parent(), 'precious');
    await writeFile(precious, WEIGHTS);
    await rm(join(blobs(), sha256Of(WEIGHTS)));
    const shown = join(cache(), 'models--someone--clip-tiny/snapshots', COMMIT, 'model.safetensors');
    await rm(shown);
    await symlink(precious, shown);
    expect(origins(await fetch({ cache: cache() }))).toMatchObject({ 'model.safetensors': 'hub' });
  });

  test('is found by environment variables', () => {
    expect(hubCacheDirectory({ HF_HUB_CACHE: '/a', HF_HOME: '/b' })).toBe('/a');
    expect(hubCacheDirectory({ HF_HOME: '/b' })).toBe('/b/hub');
    expect(hubCacheDirectory({ XDG_CACHE_HOME: '/c' })).toBe('/c/huggingface/hub');
    expect(hubCacheDirectory({})).toMatch(/\/\.cache\/huggingface\/hub$/);
  });
});

test('two concurrent calls for one folder do not interfere', async () => {
  server().addRepository(ID, FILES, LARGE);
  const outcomes = await Promise.allSettled([fetch(), fetch()]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expectModel();
});
