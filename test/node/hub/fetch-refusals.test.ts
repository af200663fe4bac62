/** Models that are refused, and that nothing is written elsewhere. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES, configToJson, preprocessorJson } from '../../../src/clip/config.js';
import { clipPreprocessing } from '../../../src/clip/image/preprocessing.js';
import { requireRepositoryId, requireRevision } from '../../../src/node/hub/repository.js';
import { fixture } from '../../support/tiny-clip.js';
import {
  asked,
  COMMIT,
  expectModel,
  FILES,
  fetch,
  ID,
  LARGE,
  parent,
  refusal,
  resolved,
  server,
  WEIGHTS,
} from './fetch-support.js';
import { sha256Of } from './test-server.js';

describe('pinned hashes', () => {
  test('are compared with what the hub lists and what it serves', async () => {
    server().addRepository(ID, FILES, LARGE);
    const pins = new Map([['model.safetensors', 'f'.repeat(64)]]);
    expect(await refusal(fetch({ pins }))).toBe(
      `${ID}: model.safetensors should have SHA-256 ${'f'.repeat(64)}, ${server().url('/').host} has ${sha256Of(WEIGHTS)}`,
    );
    // Without a SHA-256 in the list, the contents decide.
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

test('another commit than the one asked for is refused', async () => {
  const wanted = 'd'.repeat(40);
  server().addRepository(ID, FILES, { ...LARGE, revision: wanted });
  expect(await refusal(fetch({ revision: wanted }))).toMatch(
    new RegExp(`asked 127.0.0.1:\\d+ for commit ${wanted}, which answered with ${COMMIT}`),
  );
});

test('a mirror must serve all of a published model, before its weights are asked for', async () => {
  const published = 'ViT-B/32';
  server().addRepository(ID, FILES, LARGE);
  expect(await refusal(fetch({ published }))).toMatch(
    /^config\.json: it is not that of ViT-B\/32: .*; is this mirror right\?$/,
  );
  const config = configToJson(ARCHITECTURES.get(published)!);
  server().addRepository(ID, { ...FILES, 'config.json': config }, LARGE);
  expect(await refusal(fetch({ published }))).toBe("merges.txt: it is not CLIP's vocabulary; is this mirror right?");
  const preprocessor = preprocessorJson({ ...clipPreprocessing(224), mean: [0, 0, 0] });
  const files = { ...FILES, 'config.json': config, 'preprocessor_config.json': preprocessor };
  server().addRepository(ID, files, LARGE);
  expect(await refusal(fetch({ published }))).toMatch(/^preprocessor_config\.json: it is not that of ViT-B\/32/);
  expect(asked('model.safetensors')).toBe(0);
});

test('links among the files of an earlier call are refused', async () => {
  server().addRepository(ID, FILES, LARGE);
  const precious = join(parent(), 'precious');
  await writeFile(precious, 'precious text');
  const partial = join(parent(), '.model.partial');
  for (const name of ['config.json.part', 'config.json.part.json', 'merges.txt', 'merges.txt.copy']) {
    await mkdir(partial);
    await symlink(precious, join(partial, name));
    expect(await refusal(fetch())).toBe(
      `${partial}/${name}: expected what an earlier call left, found a link; delete it`,
    );
    await rm(partial, { recursive: true });
  }
  await mkdir(join(parent(), 'elsewhere'));
  await symlink(join(parent(), 'elsewhere'), partial);
  expect(await refusal(fetch())).toMatch(/\.model\.partial: expected a folder, found a link; delete it/);
  expect(await readdir(join(parent(), 'elsewhere'))).toEqual([]);
  expect(await readFile(precious, 'utf8')).toBe('precious text');
});

describe('refused before the weights are downloaded', () => {
  const { 'config.json': _, ...noConfig } = FILES;
  const { 'merges.txt': __, ...noMerges } = FILES;
  const { 'model.safetensors': ___, ...noWeights } = FILES;
  test.each([
    ['no config.json', noConfig, /no config\.json at .*; is this a CLIP\?/],
    ['no merges.txt', noMerges, /neither merges\.txt nor tokenizer\.json at/],
    ['no weights', { ...noWeights, 'tf_model.h5': 'x' }, /no PyTorch or safetensors weights at/],
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
    [401, /access denied \(401\); check the name, or set HF_TOKEN/],
    [403, /access denied \(403\)/],
  ])('status %i', async (status, message) => {
    server().plans.set(`/api/models/${ID}/revision/main`, [{ status }]);
    expect(await refusal(fetch())).toMatch(message);
  });

  test('a server that is not a hub', async () => {
    const list = `/api/models/${ID}/revision/main`;
    for (const page of ['<html>', '[]', '{"sha":"main","siblings":[]}', `{"sha":"${COMMIT}"}`]) {
      server().files.set(list, new TextEncoder().encode(page));
      expect(await refusal(fetch())).toMatch(/is this a hub\?$/);
    }
  });

  test('a list that is too long, or has impossible sizes and hashes', async () => {
    const list = `/api/models/${ID}/revision/main`;
    server().files.set(list, new Uint8Array(2 ** 24 + 1));
    expect(await refusal(fetch())).toMatch(/the list of files is over 16777216 bytes$/);
    server().addRepository(ID, FILES, LARGE);
    const listed = JSON.parse(new TextDecoder().decode(server().files.get(list))) as {
      siblings: Record<string, unknown>[];
    };
    const change = (name: string, part: object) => {
      const siblings = listed.siblings.map((file) => (file.rfilename === name ? { ...file, ...part } : file));
      server().files.set(list, new TextEncoder().encode(JSON.stringify({ ...listed, siblings })));
    };
    change('config.json', { size: -5 });
    expect(await refusal(fetch())).toMatch(/no config\.json at/);
    change('model.safetensors', { lfs: { sha256: '../../../escaped' }, blobId: 7 });
    const { files } = await fetch({ cache: join(parent(), 'a/cache') });
    expect(files.find(({ name }) => name === 'model.safetensors')).toMatchObject({ checked: false, from: 'hub' });
    await expectModel();
  });

  test('gated weights of a model whose list is public', async () => {
    server().addRepository(ID, FILES, LARGE);
    server().plans.set(resolved('model.safetensors'), [{ status: 403 }]);
    expect(await refusal(fetch())).toMatch(/model\.safetensors \(revision main\) at .*: access denied \(403\)/);
  });

  test('weights that do not match the configuration', async () => {
    const weights = await readFile(fixture('clip-tiny/expected.safetensors'));
    server().addRepository(ID, { ...FILES, 'model.safetensors': weights });
    expect(await refusal(fetch())).toMatch(/tensor "logit_scale" \[\] is missing/);
  });

  test('ids and revisions that are not safe as paths', () => {
    for (const id of ['../x', 'a/b/c', 'a//b', '', 'a b', 'a/..', '.x', 'ViT-B/32/', 'https://host/x']) {
      expect(() => requireRepositoryId(id), id).toThrow(/expected ViT-B\/32, ViT-B\/16, ViT-L\/14 or a model/);
    }
    for (const id of ['openai/clip-vit-base-patch32', 'a_b/c.d-e']) expect(requireRepositoryId(id)).toBe(id);
    for (const revision of ['', '..', 'a/../b', '/a', 'a/', 'a b', 'a\\b', '%2e']) {
      expect(() => requireRevision(revision), revision).toThrow(/expected a branch, a tag or a commit/);
    }
    for (const revision of ['main', 'refs/pr/1', 'v1.0']) expect(requireRevision(revision)).toBe(revision);
  });
});
