/**
 * Encoders with random weights under their published tensor names, at the published sizes or small: for tests, benchmarks, and a
 * demonstration of Table 4 without downloads. The file says that its weights are random, and so does every table that has it.
 */
import { join } from 'node:path';
import { type SafetensorsEntry, writeSafetensors } from '../clip/checkpoint/index.js';
import { RANDOM_WEIGHTS } from '../encoders/index.js';
import { COMPARED_ENCODERS, type ComparedEncoder } from '../ptdpc/experiment/paper-tables.js';
import { createDirectoryAtomically, directorySink } from './atomic.js';
import { exists } from './checkpoint-files.js';
import type { Events } from './events.js';
import { fillNormal, nameSeed } from './random-clip.js';

type Tensors = [name: string, shape: readonly number[]][];

/** The encoders of Table 4 beside CLIP's: their tensors, in the published sizes and in those of a stand-in. */
const ENCODERS: Readonly<Record<ComparedEncoder, (small: boolean) => Tensors>> = {
  AlexNet: (small) => alexnet(small ? [8, 16, 24, 16, 16] : [64, 192, 384, 256, 256], small ? 64 : 4096),
  VGG16: (small) => vgg16(small ? [8, 16, 16, 32, 32] : [64, 128, 256, 512, 512], small ? 64 : 4096),
  ResNet101: (small) => resnet([3, 4, 23, 3], small ? 4 : 64),
  DeiT: (small) => deit(small ? { width: 64, layers: 2 } : { width: 768, layers: 12 }),
  BEiT: (small) => beit(small ? { width: 64, layers: 2 } : { width: 768, layers: 12 }),
};

/** What a random encoder is made from: all that its weights depend on. */
export interface StandInOptions {
  readonly small: boolean;
  readonly seed: number;
}

/** Creates the folder `out` with the encoder's model.safetensors in single precision. Returns the number of its weights. */
export async function writeRandomEncoder(
  out: string,
  encoder: ComparedEncoder,
  { small, seed }: StandInOptions,
  onBytes: (bytes: number) => void = () => {},
): Promise<number> {
  const tensors = ENCODERS[encoder](small);
  const entries = tensors.map(
    ([name, shape]): SafetensorsEntry => ({
      ...{ name, dtype: 'F32', shape },
      read: () => new Uint8Array(randomTensor(name, shape, seed).buffer),
    }),
  );
  await createDirectoryAtomically(out, async (folder) => {
    const sink = directorySink(folder);
    try {
      await writeSafetensors(entries, new Map([['format', 'pt'], [...RANDOM_WEIGHTS]]), async (chunk) => {
        await sink.write('model.safetensors', chunk);
        onBytes(chunk.length);
      });
    } finally {
      await sink.close();
    }
  });
  return randomEncoderWeights(encoder, small);
}

/** Numbers in all tensors. */
export function randomEncoderWeights(encoder: ComparedEncoder, small: boolean): number {
  return ENCODERS[encoder](small).reduce((sum, [, shape]) => sum + size(shape), 0);
}

/** Small stand-ins for all encoders of Table 4 in `folder`, drawn unless they are there. Returns their folders. */
export async function standIns(folder: string, events: Pick<Events, 'progress'>): Promise<string[]> {
  const paths = COMPARED_ENCODERS.map((name) => join(folder, name.toLowerCase()));
  using bar = events.progress(paths.length, 'drawing stand-ins', 'encoders');
  for (const [i, name] of COMPARED_ENCODERS.entries()) {
    if (!(await exists(paths[i]!))) await writeRandomEncoder(paths[i]!, name, { small: true, seed: 0 });
    bar.tick(1);
  }
  return paths;
}

/**
 * Scales at which features differ from image to image at any depth: of He et al. (2015) before a ReLU, 1 / sqrt(inputs) otherwise, and
 * norms that change nothing.
 */
function randomTensor(name: string, shape: readonly number[], seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size(shape));
  if (/(?:\.bias|_bias|running_mean)$/.test(name)) return values;
  if (/^(?:.*\.)?(?:gamma_\d)$/.test(name)) return values.fill(0.5);
  // Each block of a ResNet adds to its input: at full scale, the deepest features would be thousands of times as large as the first.
  if (/\.bn3\.weight$/.test(name)) return values.fill(0.25);
  if (/running_var$/.test(name) || (shape.length === 1 && /\.weight$/.test(name))) return values.fill(1);
  const inputs = shape.slice(1).reduce((product, axis) => product * axis, 1);
  const isEmbedding = /(?:cls_token|pos_embed|relative_position_bias_table)$/.test(name);
  const beforeRelu = /^(?:features|classifier|conv1|layer\d)/.test(name);
  fillNormal(values, isEmbedding ? 0.02 : Math.sqrt((beforeRelu ? 2 : 1) / inputs), nameSeed(name, seed));
  return values;
}

const size = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/** A layer's weight, and a bias for each of its outputs. */
const layer = (name: string, shape: readonly number[]): Tensors => [
  [`${name}.weight`, shape],
  [`${name}.bias`, shape.slice(0, 1)],
];

/** Krizhevsky (2014), with torchvision's names. */
function alexnet([a = 0, b = 0, c = 0, d = 0, e = 0]: readonly number[], width: number): Tensors {
  return [
    ...layer('features.0', [a, 3, 11, 11]),
    ...layer('features.3', [b, a, 5, 5]),
    ...layer('features.6', [c, b, 3, 3]),
    ...layer('features.8', [d, c, 3, 3]),
    ...layer('features.10', [e, d, 3, 3]),
    ...layer('classifier.1', [width, 6 * 6 * e]),
    ...layer('classifier.4', [width, width]),
    ...layer('classifier.6', [CLASSES, width]),
  ];
}

/** Of ImageNet in published checkpoints; the classifier is not used here, and short. */
const CLASSES = 10;

/** Simonyan and Zisserman (2015), configuration D. */
function vgg16(stages: readonly number[], width: number): Tensors {
  const tensors: Tensors = [];
  let [place, before] = [0, 3];
  for (const [stage, channels] of stages.entries()) {
    for (let i = 0; i < (stage < 2 ? 2 : 3); i++, place += 2, before = channels)
      tensors.push(...layer(`features.${place}`, [channels, before, 3, 3]));
    // Max pooling takes a place.
    place++;
  }
  return [
    ...tensors,
    ...layer('classifier.0', [width, 7 * 7 * before]),
    ...layer('classifier.3', [width, width]),
    ...layer('classifier.6', [CLASSES, width]),
  ];
}

/** He et al. (2016), with bottlenecks; `planes` of the first stage. */
function resnet(depths: readonly number[], planes: number): Tensors {
  const norm = (name: string, channels: number): Tensors => [
    ...layer(name, [channels]),
    [`${name}.running_mean`, [channels]],
    [`${name}.running_var`, [channels]],
  ];
  const convolution = (name: string, bn: string, [out = 0, ...rest]: readonly number[]): Tensors => [
    [`${name}.weight`, [out, ...rest]],
    ...norm(bn, out),
  ];
  const tensors = convolution('conv1', 'bn1', [planes, 3, 7, 7]);
  let before = planes;
  for (const [stage, blocks] of depths.entries()) {
    const inner = planes * 2 ** stage;
    for (let block = 0; block < blocks; block++, before = 4 * inner) {
      const name = `layer${stage + 1}.${block}`;
      tensors.push(
        ...convolution(`${name}.conv1`, `${name}.bn1`, [inner, before, 1, 1]),
        ...convolution(`${name}.conv2`, `${name}.bn2`, [inner, inner, 3, 3]),
        ...convolution(`${name}.conv3`, `${name}.bn3`, [4 * inner, inner, 1, 1]),
      );
      if (block === 0)
        tensors.push(...convolution(`${name}.downsample.0`, `${name}.downsample.1`, [4 * inner, before, 1, 1]));
    }
  }
  return [...tensors, ...layer('fc', [CLASSES, before])];
}

interface TransformerSizes {
  readonly width: number;
  readonly layers: number;
}

const PATCH = 16;
const GRID = 224 / PATCH;

function transformer({ width, layers }: TransformerSizes, attention: (block: string) => Tensors): Tensors {
  const blocks = Array.from({ length: layers }, (_, i) => `blocks.${i}`).flatMap((block) => [
    ...layer(`${block}.norm1`, [width]),
    ...attention(block),
    ...layer(`${block}.attn.proj`, [width, width]),
    ...layer(`${block}.norm2`, [width]),
    ...layer(`${block}.mlp.fc1`, [4 * width, width]),
    ...layer(`${block}.mlp.fc2`, [width, 4 * width]),
  ]);
  return [['cls_token', [1, 1, width]], ...layer('patch_embed.proj', [width, 3, PATCH, PATCH]), ...blocks];
}

/** Touvron et al. (2021), with timm's names. */
function deit(sizes: TransformerSizes): Tensors {
  const { width } = sizes;
  return [
    ['pos_embed', [1, GRID * GRID + 1, width]],
    ...transformer(sizes, (block) => layer(`${block}.attn.qkv`, [3 * width, width])),
    ...layer('norm', [width]),
    ...layer('head', [CLASSES, width]),
  ];
}

/** Bao et al. (2022), with timm's names. */
function beit(sizes: TransformerSizes): Tensors {
  const { width } = sizes;
  const heads = width / 64;
  return [
    ...transformer(
      sizes,
      (block): Tensors => [
        [`${block}.attn.qkv.weight`, [3 * width, width]],
        [`${block}.attn.q_bias`, [width]],
        [`${block}.attn.v_bias`, [width]],
        [`${block}.attn.relative_position_bias_table`, [(2 * GRID - 1) ** 2 + 3, heads]],
        [`${block}.gamma_1`, [width]],
        [`${block}.gamma_2`, [width]],
      ],
    ),
    ...layer('fc_norm', [width]),
    ...layer('head', [CLASSES, width]),
  ];
}
