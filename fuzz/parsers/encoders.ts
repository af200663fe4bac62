/** Checkpoints of image encoders: tensors by their published names in small sizes, one of which is missing, renamed or of another shape. */
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import { openSafetensors } from '../../src/clip/checkpoint/safetensors.js';
import { readEncoder } from '../../src/encoders/index.js';
import { type FuzzedParser, MiB, maybeDamaged } from '../parser.js';
import type { Random } from '../random.js';
import { mutateHeader, withHeader } from './safetensors.js';

type Tensors = [name: string, shape: number[]][];

const layer = (name: string, shape: number[]): Tensors => [
  [`${name}.weight`, shape],
  [`${name}.bias`, shape.slice(0, 1)],
];

const batchNorm = (name: string, channels: number): Tensors => [
  ...layer(name, [channels]),
  [`${name}.running_mean`, [channels]],
  [`${name}.running_var`, [channels]],
  [`${name}.num_batches_tracked`, []],
];

function alexnet(): Tensors {
  const sizes = [11, 5, 3, 3, 3];
  const convolutions = [0, 3, 6, 8, 10].flatMap((place, i) =>
    layer(`features.${place}`, [2, i === 0 ? 3 : 2, sizes[i]!, sizes[i]!]),
  );
  return [...convolutions, ...layer('classifier.1', [3, 72]), ...layer('classifier.4', [3, 3])];
}

function vgg11(norm: boolean): Tensors {
  const tensors: Tensors = [];
  let [place, before] = [0, 3];
  for (const convolutions of [1, 1, 2, 2, 2]) {
    for (let i = 0; i < convolutions; i++, before = 2) {
      tensors.push(...layer(`features.${place}`, [2, before, 3, 3]));
      if (norm) tensors.push(...batchNorm(`features.${place + 1}`, 2));
      place += norm ? 3 : 2;
    }
    place++;
  }
  return [...tensors, ...layer('classifier.0', [3, 98]), ...layer('classifier.3', [3, 3])];
}

function resnet(bottleneck: boolean): Tensors {
  const outer = bottleneck ? 4 : 2;
  const tensors: Tensors = [['conv1.weight', [2, 3, 7, 7]], ...batchNorm('bn1', 2)];
  for (let stage = 1, before = 2; stage <= 4; stage++, before = outer) {
    const name = `layer${stage}.0`;
    const sides = bottleneck ? [1, 3, 1] : [3, 3];
    for (const [i, side] of sides.entries()) {
      const out = i === sides.length - 1 ? outer : 2;
      tensors.push(
        [`${name}.conv${i + 1}.weight`, [out, i === 0 ? before : 2, side, side]],
        ...batchNorm(`${name}.bn${i + 1}`, out),
      );
    }
    if (stage > 1 || before !== outer)
      tensors.push([`${name}.downsample.0.weight`, [outer, before, 1, 1]], ...batchNorm(`${name}.downsample.1`, outer));
  }
  return [...tensors, ...layer('fc', [5, outer])];
}

/** A vision transformer or a BEiT with timm's names, of one block. */
function transformer(beit: boolean, grid: number): Tensors {
  const width = beit ? 8 : 64;
  const qkv: Tensors = beit
    ? [
        ['blocks.0.attn.qkv.weight', [3 * width, width]],
        ['blocks.0.attn.q_bias', [width]],
        ['blocks.0.attn.v_bias', [width]],
        ['blocks.0.attn.relative_position_bias_table', [(2 * grid - 1) ** 2 + 3, 2]],
        ['blocks.0.gamma_1', [width]],
        ['blocks.0.gamma_2', [width]],
      ]
    : layer('blocks.0.attn.qkv', [3 * width, width]);
  return [
    ['cls_token', [1, 1, width]],
    ...(beit ? [] : ([['pos_embed', [1, grid * grid + 1, width]]] satisfies Tensors)),
    ...layer('patch_embed.proj', [width, 3, 2, 2]),
    ...layer('blocks.0.norm1', [width]),
    ...qkv,
    ...layer('blocks.0.attn.proj', [width, width]),
    ...layer('blocks.0.norm2', [width]),
    ...layer('blocks.0.mlp.fc1', [4, width]),
    ...layer('blocks.0.mlp.fc2', [width, 4]),
    ...layer(beit ? 'fc_norm' : 'norm', [width]),
    ...layer('head', [5, width]),
  ];
}

/** More numbers in one tensor would only be slow. */
const MOST = 200_000;

function changed(tensors: Tensors, random: Random): Tensors {
  const at = random.below(tensors.length);
  const [name, shape] = tensors[at]!;
  const others = tensors.toSpliced(at, 1);
  const axis = random.below(Math.max(1, shape.length));
  const shapes = [
    shape.length === 0 ? [3] : shape.with(axis, random.pick([0, 1, 2, 3, 5, 64, 1000])),
    shape.toReversed(),
    [1, ...shape],
    shape.slice(1),
    [],
  ];
  const shapeOf = () => random.pick(shapes.filter((other) => other.reduce((a, b) => a * b, 1) <= MOST));
  switch (random.below(5)) {
    case 0:
      return others;
    case 1:
      return [...others, [random.pick(['layer1.9.conv1.weight', 'blocks.7.norm1.weight', `x.${name}`, '']), shape]];
    case 2:
      return [...tensors, [random.pick(['dist_token', 'mask_token', 'features.1.weight', 'a\nb']), shapeOf()]];
    default:
      return tensors.with(at, [name, shapeOf()]);
  }
}

function wellFormed(random: Random): Uint8Array<ArrayBuffer> {
  const kinds = [
    alexnet,
    () => vgg11(random.oneIn(2)),
    () => resnet(random.oneIn(2)),
    () => transformer(random.oneIn(2), 1 + random.below(3)),
  ];
  let tensors = random.pick(kinds)();
  for (let changes = random.below(3); changes > 0; changes--) tensors = changed(tensors, random);
  const prefix = random.oneIn(4) ? random.pick(['module.', 'model.', 'beit.', '__proto__.']) : '';
  let end = 0;
  const header = tensors.map(([name, shape]) => {
    const isCount = name.endsWith('num_batches_tracked');
    const begin = end;
    end += shape.reduce((count, size) => count * size, 1) * (isCount ? 8 : 2);
    const entry = { dtype: isCount ? 'I64' : 'F16', shape, data_offsets: [begin, end] };
    return `${JSON.stringify(prefix + name)}:${JSON.stringify(entry)}`;
  });
  return withHeader(`{${header.join(',')}}`, random.bytes(end));
}

export const encoder: FuzzedParser = {
  name: 'encoder',
  what: 'checkpoints of AlexNet, VGG, ResNet, vision transformers and BEiT, and their tensors as their towers read them',
  make(random) {
    const file = wellFormed(random);
    return random.oneIn(4) ? mutateHeader(file, random) : maybeDamaged(file, random, wellFormed(random));
  },
  async read(input) {
    const found = readEncoder(await openSafetensors(bytesSource('input.safetensors', input)));
    for (const name of found?.weights.names() ?? []) await found?.weights.read(name);
  },
  names: 'input.safetensors',
  memory: (length) => 32 * MiB + 64 * length,
};
