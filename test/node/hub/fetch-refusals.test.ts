/** Models of a hub that are refused, and that nothing is written elsewhere on the way. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
  const precious = join(parent(), 'precious');
  await writeFile(precious, 'precious text');
  const partial = join(parent(), '.model.partial');
  for (const name of ['config.json.part', 'config.json.part.json', 'merges.txt', 'merges.txt.copy']) {
    await mkdir(partial);
    await symlink(precious, join(partial, name));
    expect(await refusal(fetch())).toBe(
      `${partial}/${name}: expected what an earlier call left, found a link or a device; delete it`,
    );
    await rm(partial, { recursive: true });
  }
  await mkdir(join(parent(), 'elsewhere'));
  await symlink(join(parent(), 'elsewhere'), partial);
  expect(await refusal(fetch())).toMatch(/\.model\.partial: expected what an earlier call left/);
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
