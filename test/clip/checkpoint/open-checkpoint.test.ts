import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { parseShardIndex, shardFileNames } from '../../../src/clip/checkpoint/shards.js';
import { concat, counting, expectInputError, fixtureBytes, safetensorsOf } from './support.js';

const source = (name: string, content: string | Uint8Array) => bytesSource(name, concat(content));
const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 20 }, weight_map: map });

describe('format by content', () => {
  test('extensions do not matter', async () => {
    const torch = await openCheckpoint(bytesSource('model.safetensors', fixtureBytes('checkpoint/views.pt')));
    expect(torch.format).toBe('torch');
    const safetensors = await openCheckpoint(
      source('model.bin', await safetensorsOf({ a: { shape: [1], values: [1] } })),
    );
    expect(safetensors.format).toBe('safetensors');
  });

  test.each([
    ['empty', '', /is empty/],
    ['a web page', '<!DOCTYPE html>', /a web page, not a checkpoint \(failed download\?\); ptdpc fetch/],
    ['an error page', '\n <?xml version="1.0"?><Error><Code>AccessDenied', /a web page, not a checkpoint/],
    [
      "NumPy's archive",
      `PK\x03\x04${'\0'.repeat(26)}text/weight.npy`.replace('text/', ''),
      /NumPy's \.npz is not supported/,
    ],
    ["NumPy's array", Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY')), /NumPy's \.npy .*model\.safetensors/],
    ["TensorFlow's", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a), /tf_model\.h5.*save_pretrained/],
    ["Flax's", Uint8Array.of(0x82, 0xaa, ...new TextEncoder().encode('text_model')), /flax_model\.msgpack/],
    ["Flax's, with many keys", Uint8Array.of(0xde, 0, 99, 0xd9, 40, ...new TextEncoder().encode('vision')), /Flax's/],
    ['a bare pickle', Uint8Array.of(0x80, 2, 0x8a, 10), /before 1\.6 .*torch\.save\(torch\.load\("some\/file"/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n', /git lfs pull/],
    ['a config.json', '{"model_type": "clip"}', /"weight_map"/],
    ['one byte', 'P', /not a checkpoint/],
  ])('%s', async (_, content, pattern) => {
    await expectInputError(openCheckpoint(source('some/file', content)), /^some\/file: /, pattern);
  });

  test('no file at all', async () => {
    await expectInputError(openCheckpoint([]), /no checkpoint/);
  });
});

describe('shards', () => {
  const shards = async () => [
    source(
      '/m/model-00001-of-00002.safetensors',
      await safetensorsOf({ a: { shape: [2], values: [1, 2] }, b: { shape: [1], values: [3] } }),
    ),
    source('/m/model-00002-of-00002.safetensors', await safetensorsOf({ c: { shape: [1], values: [4] } })),
  ];
  const map = { c: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' };
  const indexSource = (weightMap: unknown) => source('/m/model.safetensors.index.json', index(weightMap));

  test('with an index, tensors come from the files that it names', async () => {
    const [first, second] = await shards();
    const counted = counting(first!);
    const checkpoint = await openCheckpoint([counted, indexSource(map), second!]);
    expect(checkpoint.name).toBe('/m/model.safetensors.index.json');
    expect(checkpoint.names()).toEqual(['c', 'a']);
    expect(checkpoint.shape('a')).toEqual([2]);
    expect(checkpoint.dtype('a')).toBe('F32');
    counted.total = 0;
    expect([...(await checkpoint.read('c'))]).toEqual([4]);
    expect(counted.total).toBe(0);
    expect([...(await checkpoint.read('a', { first: 1, count: 1 }))]).toEqual([2]);
    await expectInputError(checkpoint.read('b'), /index\.json: there is no tensor "b"/);
  });

  test('without an index, all tensors of all files', async () => {
    const checkpoint = await openCheckpoint(await shards());
    expect(checkpoint.names()).toEqual(['a', 'b', 'c']);
    const [first] = await shards();
    await expectInputError(
      openCheckpoint([first!, { ...first!, name: 'copy' }]),
      /"a" is both in .*00001.* and in copy/,
    );
  });

  test('what does not fit together is refused', async () => {
    const [first, second] = await shards();
    await expectInputError(
      openCheckpoint([first!, indexSource(map)]),
      /"c" is in "model-00002-of-00002.safetensors", which was not given/,
    );
    await expectInputError(openCheckpoint([indexSource(map)]), /missing/);
    await expectInputError(
      openCheckpoint([first!, second!, indexSource({ ...map, x: map.a })]),
      /00001.*: tensor "x" is missing/,
    );
    await expectInputError(openCheckpoint([indexSource(map), indexSource(map), first!]), /second checkpoint index/);
    const torch = bytesSource('views.pt', fixtureBytes('checkpoint/views.pt'));
    await expectInputError(openCheckpoint([first!, torch]), /views\.pt: .*torch and safetensors/);
  });

  test('an index names its files, each once, and only files of weights', async () => {
    expect(shardFileNames(index({ a: 'x.bin', b: 'y.bin', c: 'x.bin' }), 'i')).toEqual(['x.bin', 'y.bin']);
    expect(parseShardIndex('{"weight_map":{"__proto__":"x.bin"}}', 'i').get('__proto__')).toBe('x.bin');
    const places = ['../x.bin', '/etc/x.bin', 'a\\b.bin', '..', '.', '', 'c:x.bin', 'x.bin\0', 'x\n.bin', 3, null];
    for (const file of [...places, '.npmrc', 'package.json', '.bin', 'x', 'merges.txt']) {
      await expectInputError(() => shardFileNames(index({ a: file }), 'i'), /^i: tensor "a".*not the name of a shard/);
    }
    for (const text of ['', '[]', '{"weight_map":[]}', '{"weight_map":null}', 'null']) {
      await expectInputError(() => shardFileNames(text, 'i'), /^i: /);
    }
  });
});
