/** AlexNet, VGG and ResNet with torchvision's names against PyTorch, and what is refused. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/clip/checkpoint/index.js';
import { encodeInParts, linearRelu } from '../../src/encoders/convolutional.js';
import { ALEXNET, RESNET, readEncoder, VGG } from '../../src/encoders/index.js';
import { InputError } from '../../src/errors.js';
import { averagePool, Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { measuredPerImage } from '../support/encoder-memory.js';
import { networkCheckpoint, pictures, type Shapes, uniformNumbers } from '../support/random-network.js';
import { fixture, maxError, tensorsOf } from '../support/tiny-clip.js';

const shapes: Record<string, Shapes> = JSON.parse(await readFile(fixture('convolutional/shapes.json'), 'utf8'));
const shapesOf = (name: string): Shapes => shapes[name] ?? {};
const checkpointOf = (name: string) => networkCheckpoint(`${name}.pth`, shapesOf(name));
/** Pictures of the fixtures. */
const SIZE = 67;

/** The distance of two features, row by row, as a part of the second one's length; the largest. */
function distance(actual: Float32Array, expected: Float32Array, rows: number): number {
  const width = expected.length / rows;
  const length = (values: Float32Array) => Math.hypot(...values);
  return Math.max(
    ...Array.from({ length: rows }, (_, row) => {
      const want = expected.subarray(row * width, (row + 1) * width);
      return length(actual.slice(row * width, (row + 1) * width).map((value, i) => value - want[i]!)) / length(want);
    }),
  );
}

describeOnAll('convolutional networks', (device) => {
  it.each(Object.keys(shapes))("%s gives PyTorch's features", async (name) => {
    const golden = await tensorsOf('convolutional/expected.safetensors');
    const { data, shape } = await golden(name);
    const encoder = readEncoder(checkpointOf(name))!;
    const engine = new Engine(device());
    using tower = await encoder.load(engine);
    using features = engine.scope(() => tower.pool(engine.tensor(pictures(3, SIZE), [3, 3, SIZE, SIZE])));
    expect(features.shape).toEqual(shape);
    expect(encoder.config.width).toBe(shape[1]);
    expect(distance(await features.read(), data, 3)).toBeLessThan(1e-5);
  });

  it('takes bytes with the values they stand for, and gives the same alone and in a batch', async () => {
    const engine = new Engine(device());
    using tower = await readEncoder(checkpointOf('resnet_basic'))!.load(engine);
    const bytes = Int32Array.from({ length: 2 * SIZE * SIZE }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const values = Float32Array.from({ length: 3 * 256 }, (_, i) => ((i % 256) - 100 - Math.floor(i / 256)) / 60);
    const pixels = Float32Array.from({ length: 2 * 3 * SIZE * SIZE }, (_, i) => {
      const channel = Math.floor(i / (SIZE * SIZE)) % 3;
      const pixel = bytes[Math.floor(i / (3 * SIZE * SIZE)) * SIZE * SIZE + (i % (SIZE * SIZE))]!;
      return values[256 * channel + ((pixel >> (8 * channel)) & 255)]!;
    });
    const pool = async (run: () => ReturnType<typeof tower.pool>) => {
      using features = engine.scope(run);
      return await features.read();
    };
    const both = await pool(() => tower.pool(engine.tensor(pixels, [2, 3, SIZE, SIZE])));
    expect(
      await pool(() => tower.pool(engine.indices(bytes, [2, SIZE, SIZE]), engine.tensor(values, [3, 256]))),
    ).toEqual(both);
    const second = pixels.subarray(pixels.length / 2);
    expect(await pool(() => tower.pool(engine.tensor(second, [1, 3, SIZE, SIZE])))).toEqual(
      both.slice(both.length / 2),
    );
  });

  it('encodes more images than fit at once in parts', async () => {
    const engine = new Engine(device());
    const pixels = uniformNumbers(1, 5 * 3 * 4 * 4);
    const batches: number[] = [];
    using means = engine.scope(() =>
      // Of 2^24 numbers, two make 128 MiB.
      encodeInParts(engine, engine.tensor(pixels, [5, 3, 4, 4]), undefined, 2 ** 24, (images) => {
        expect(images.shape).toEqual([images.shape[0], 4, 4, 3]);
        batches.push(images.shape[0]!);
        return averagePool(images, [1, 1]).reshape([images.shape[0]!, 3]);
      }),
    );
    expect(batches).toEqual([2, 2, 1]);
    const want = Array.from({ length: 15 }, (_, i) => pixels.slice(16 * i, 16 * i + 16).reduce((a, b) => a + b) / 16);
    expect(maxError(await means.read(), want)).toBeLessThan(1e-6);
  });

  it('puts a linear layer together that was cut', async () => {
    const engine = new Engine(device());
    const x = [1, 2, -1, 3];
    using out = engine.scope(() =>
      linearRelu(engine.tensor(x, [2, 2]), [
        { weight: engine.tensor([1, 0, 0, 1], [2, 2]), bias: engine.tensor([0.5, 0], [2]) },
        { weight: engine.tensor([-1, 1], [1, 2]), bias: engine.tensor([-2], [1]) },
      ]),
    );
    expect([...(await out.read())]).toEqual([1.5, 2, 0, 0, 3, 2]);
  });
});

describe('sizes', () => {
  it('are read from the tensors', () => {
    expect(ALEXNET.read(checkpointOf('alexnet')).config).toEqual({
      ...{ kind: 'alexnet', imageSize: 224, width: 24 },
      ...{ channels: [8, 12, 10, 6, 8], cells: 2, hidden: 20 },
    });
    expect(VGG.read(checkpointOf('vgg13_bn')).config).toEqual({
      ...{ kind: 'vgg', imageSize: 224, width: 24, depth: 13, batchNorm: true },
      ...{ channels: [4, 4, 6, 6, 8, 8, 10, 10, 9, 9], cells: 2, hidden: 20 },
    });
    expect(RESNET.read(checkpointOf('resnet_bottleneck')).config).toEqual({
      ...{ kind: 'resnet', imageSize: 224, width: 32, bottleneck: true, stem: 8 },
      stages: [
        { blocks: 1, inner: 4, outer: 16 },
        { blocks: 2, inner: 8, outer: 24 },
        { blocks: 1, inner: 6, outer: 20 },
        { blocks: 3, inner: 8, outer: 32 },
      ],
    });
  });

  it('are read from names with a prefix, as DistributedDataParallel gives them', () => {
    const prefixed = Object.entries(shapesOf('resnet_basic')).map(([name, shape]) => [`module.${name}`, shape]);
    const encoder = readEncoder(networkCheckpoint('ddp.pth', Object.fromEntries(prefixed)))!;
    expect(encoder.config).toEqual(RESNET.read(checkpointOf('resnet_basic')).config);
  });

  it("give the memory that one image takes, and the largest weight's", () => {
    const shape = { kind: 'vgg', imageSize: 224, width: 4096, cells: 7, hidden: 4096, depth: 16 } as const;
    const channels = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
    const vgg16 = { ...shape, channels, batchNorm: false };
    // Two activations of 64 channels, the largest, are there at once.
    const twice = 2 * 4 * 64 * 224 * 224;
    expect(VGG.bytesPerImage(vgg16)).toBeGreaterThan(twice);
    expect(VGG.bytesPerImage(vgg16)).toBeLessThan(1.2 * twice);
    // The first linear layer has 392 MiB, and is cut.
    expect(VGG.largestWeightBytes(vgg16)).toBeLessThanOrEqual(2 ** 27);
  });
});

it.each(Object.keys(shapes))('%s takes no more for a picture than its bytesPerImage', async (name) => {
  const encoder = readEncoder(checkpointOf(name))!;
  const perImage = await measuredPerImage(encoder, 2);
  expect(perImage).toBeLessThanOrEqual(encoder.memory.perImage);
  expect(perImage).toBeGreaterThan(0.4 * encoder.memory.perImage);
});

describe('refused', () => {
  const without = (shapes: Shapes, ...names: string[]): Shapes =>
    Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));

  it.each<[string, Shapes, RegExp]>([
    [
      'a tensor that is missing',
      without(shapesOf('alexnet'), 'features.8.bias'),
      /^x\.pth: tensor "features\.8\.bias" \[6\] is missing$/,
    ],
    [
      'a convolution that is missing',
      without(shapesOf('alexnet'), 'features.6.weight'),
      /^x\.pth: not an AlexNet with torchvision's names, or incomplete: tensor "features\.6\.weight" is missing$/,
    ],
    [
      'a window of another size',
      { ...shapesOf('alexnet'), 'features.0.weight': [8, 3, 7, 7] },
      /^x\.pth: tensor "features\.0\.weight" should have shape \[8, 3, 11, 11\], found \[8, 3, 7, 7\]$/,
    ],
    [
      'inputs that are no square of cells',
      { ...shapesOf('alexnet'), 'classifier.1.weight': [20, 40] },
      /^x\.pth: tensor "classifier\.1\.weight" should have shape \[20, 32\], found \[20, 40\]$/,
    ],
    [
      'a VGG of 9 convolutions',
      without(shapesOf('vgg13_bn'), 'features.31.weight'),
      /^x\.pth: expected the 8, 10, 13 or 16 convolutions of VGG-11, 13, 16 or 19 under "features", found 9$/,
    ],
    [
      'a batch norm without statistics',
      without(shapesOf('vgg13_bn'), 'features.1.running_var'),
      /^x\.pth: tensor "features\.1\.running_var" \[4\] is missing$/,
    ],
    [
      'a convolution in groups, as of ResNeXt',
      { ...shapesOf('resnet_bottleneck'), 'layer1.0.conv2.weight': [4, 2, 3, 3] },
      /^x\.pth: tensor "layer1\.0\.conv2\.weight" should have shape \[4, 4, 3, 3\], found \[4, 2, 3, 3\]$/,
    ],
    [
      'a part that a plain ResNet has not',
      { ...shapesOf('resnet_basic'), 'layer2.0.se.fc1.weight': [4, 12, 1, 1] },
      /^x\.pth: tensor "layer2\.0\.se\.fc1\.weight" is not part of a plain ResNet, so this program cannot run it$/,
    ],
    [
      'a residual block whose sizes differ and which has nothing between',
      without(shapesOf('resnet_basic'), 'layer2.0.downsample.0.weight'),
      /^x\.pth: tensor "layer2\.0\.downsample\.0\.weight" \[12, 8, 1, 1\] is missing$/,
    ],
    [
      'a vector where a convolution is due',
      { ...shapesOf('resnet_basic'), 'layer3.0.conv1.weight': [12] },
      /^x\.pth: tensor "layer3\.0\.conv1\.weight" of a ResNet should have 4 axes, found shape \[12\]$/,
    ],
  ])('%s', (_, changed, message) => {
    const checkpoint: Checkpoint = networkCheckpoint('x.pth', changed);
    expect(() => readEncoder(checkpoint)).toThrow(InputError);
    expect(() => readEncoder(checkpoint)).toThrow(message);
  });

  it('are not those of no family, which are left to others', () => {
    expect(readEncoder(networkCheckpoint('x.pth', { 'features.conv0.weight': [64, 3, 7, 7] }))).toBeUndefined();
  });
});
