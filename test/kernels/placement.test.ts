/** A row's result has the same bits wherever the row stands and however many others are computed with it, in every kernel variant. */
import { expect, it } from 'vitest';
import { clipVision } from '../../src/clip/config.js';
import { clipPreprocessing } from '../../src/clip/image/index.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import { pictureRows, type RowVisibility, treeRows } from '../../src/kernels/families/visibility.js';
import { type Backend, type DeviceBuffer, kernels } from '../../src/kernels/index.js';
import { encodePixels } from '../../src/ptdpc/encode.js';
import { Engine } from '../../src/tensor/index.js';
import { ALL_WAYS, describeOn, matmulVariants } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

/** Runs `body` with an allocator whose buffers are freed after it. */
async function withBuffers<T>(
  device: Backend,
  body: (allocate: (dtype: DeviceBuffer['dtype'], data: number | ArrayLike<number>) => DeviceBuffer) => Promise<T>,
): Promise<T> {
  const buffers: DeviceBuffer[] = [];
  try {
    return await body((dtype, data) => {
      const buffer = device.allocate(dtype, typeof data === 'number' ? data : data.length);
      buffers.push(buffer);
      if (typeof data !== 'number') device.write(buffer, data);
      return buffer;
    });
  } finally {
    for (const buffer of buffers) device.free(buffer);
  }
}

/** Fails unless `part` equals the numbers of `whole` from `from` on, bit for bit. */
function expectSameBits(part: ArrayLike<number>, whole: ArrayLike<number>, from: number, told: string): void {
  for (let i = 0; i < part.length; i++) {
    if (!Object.is(part[i], whole[from + i])) expect(part[i], `${told}, number ${i}`).toBe(whole[from + i]);
  }
}

const ROWS = 131;
/** Just below, at and past multiples of every variant's tile, and of a task's rows. */
const COUNTS = [1, 2, 4, 5, 6, 8, 9, 31, 33, 59, 60, 61, 64, 65, 121];
/** Columns and depths: of any variant, and beyond a block of k and a vector. */
const SIZES = [
  { n: 72, k: 24 },
  { n: 24, k: 776 },
  { n: 31, k: 13 },
];

/** Orders and types of the right operand. On a software adapter, each is seconds of compilation. */
const ALL_OPERANDS = [
  [false, 'f32'],
  [false, 'f16'],
  [true, 'f32'],
  [true, 'f16'],
] as const;

async function products(device: Backend): Promise<void> {
  const random = randomReals(7);
  for (const { n, k } of SIZES) {
    const a = Float32Array.from(random(ROWS * k));
    const residual = Float32Array.from(random(ROWS * n));
    for (const [transposeB, dtype] of device.kind === 'cpu' ? ALL_OPERANDS : ALL_OPERANDS.slice(1, 3)) {
      await withBuffers(device, async (allocate) => {
        const b = allocate(dtype, random(n * k));
        const bias = allocate('f32', random(n));
        const product = async (from: number, m: number) => {
          const out = allocate('f32', m * n);
          device.run(kernels.matmul, {
            ...{ m, n, k, transposeB, b, out, bias, alpha: 1, activation: 1 },
            a: allocate('f32', a.subarray(from * k, (from + m) * k)),
            residual: allocate('f32', residual.subarray(from * n, (from + m) * n)),
          });
          return device.read(out);
        };
        const all = await product(0, ROWS);
        for (const m of COUNTS) {
          const told = `${m} of ${ROWS} rows, n ${n}, k ${k}, ${dtype}${transposeB ? ' transposed' : ''}`;
          expectSameBits(await product(ROWS - m, m), all, (ROWS - m) * n, told);
        }
      });
    }
  }
}

const HEADS = 2;
const HEAD_WIDTH = 64;
const WIDTH = HEADS * HEAD_WIDTH;

/** Attention and its gradients over rows of q, k, v and gradOut, of which queries are the rows themselves or the leaves. */
async function attend(device: Backend, { visible, seenBy }: Visible, q: Float32Array, kv: Float32Array) {
  return withBuffers(device, async (allocate) => {
    const [queries, keys] = [visible.length / 4, seenBy.length / 2];
    const packed = allocate('f32', kv);
    const args = {
      ...{ queries, keys, heads: HEADS, headWidth: HEAD_WIDTH },
      visible: allocate('i32', visible),
      seenBy: allocate('i32', seenBy),
      ...{ q: allocate('f32', q), qStride: WIDTH, qOffset: 0 },
      ...{ k: packed, kStride: 2 * WIDTH, kOffset: 0, v: packed, vStride: 2 * WIDTH, vOffset: WIDTH },
      logSumExp: allocate('f32', queries * HEADS),
    };
    const out = allocate('f32', queries * WIDTH);
    device.run(kernels.attention, { ...args, out });
    const incoming = { ...args, gradOut: args.q, delta: args.logSumExp };
    const gradQ = allocate('f32', queries * WIDTH);
    device.run(kernels.attentionGradQuery, { ...incoming, gradQ });
    const gradKV = allocate('f32', keys * 2 * WIDTH);
    device.run(kernels.attentionGradKeyValue, { ...incoming, gradKv: gradKV });
    return { out: await device.read(out), gradQ: await device.read(gradQ), gradKV: await device.read(gradKV) };
  });
}

type Visible = Pick<RowVisibility, 'visible' | 'seenBy'>;

type Geometry = (count: number) => RowVisibility;

/** So many pictures, trees or sentences of one kind. */
const SEQUENCES: readonly (readonly [string, Geometry])[] = [
  ...[1, 5, 7, 17, 50, 61].map((rows) => [`${rows} rows`, (count: number) => pictureRows(count, rows)] as const),
  ['a tree of 3 and 1, 2, 3 rows', (count) => treeRows(count, 3, [1, 2, 3])],
  ['a causal sequence of 13 rows', (count) => treeRows(count, 0, [13])],
];

async function attention(device: Backend, geometry: Geometry): Promise<void> {
  const count = 5;
  for (const leaves of [false, true]) {
    const of = (sequences: number): Visible => (leaves ? geometry(sequences).onlyLeaves() : geometry(sequences));
    const random = randomReals(9);
    const many = of(count);
    const q = Float32Array.from(random((many.visible.length / 4) * WIDTH));
    const kv = Float32Array.from(random((many.seenBy.length / 2) * 2 * WIDTH));
    const all = await attend(device, many, q, kv);
    for (const alone of [0, 1, 2, 3, 4]) {
      const part = (data: Float32Array) =>
        data.subarray((alone * data.length) / count, ((alone + 1) * data.length) / count);
      const one = await attend(device, of(1), part(q), part(kv));
      for (const name of ['out', 'gradQ', 'gradKV'] as const) {
        const told = `${name} of sequence ${alone}${leaves ? ', leaves only' : ''}`;
        expectSameBits(one[name], all[name], alone * one[name].length, told);
      }
    }
  }
}

async function norms(device: Backend): Promise<void> {
  const random = randomReals(4);
  for (const columns of [7, 64, 70]) {
    await withBuffers(device, async (allocate) => {
      const x = Float32Array.from(random(ROWS * columns));
      const [weight, bias] = [allocate('f32', random(columns)), allocate('f32', random(columns))];
      const normed = async (from: number, rows: number) => {
        const part = allocate('f32', x.subarray(from * columns, (from + rows) * columns));
        const [out, grad, unit, soft] = [0, 1, 2, 3].map(() => allocate('f32', rows * columns)) as [
          DeviceBuffer,
          DeviceBuffer,
          DeviceBuffer,
          DeviceBuffer,
        ];
        const sizes = { rows, columns };
        const statistics = allocate('f32', 2 * rows);
        device.run(kernels.layerNorm, { ...sizes, x: part, weight, bias, out, statistics, epsilon: 1e-5 });
        device.run(kernels.layerNormGrad, { ...sizes, x: part, weight, statistics, gradOut: out, gradX: grad });
        device.run(kernels.normalizeRows, { ...sizes, x: part, out: unit, norm: allocate('f32', rows) });
        device.run(kernels.softmax, { ...sizes, x: part, out: soft });
        return Promise.all([out, grad, unit, soft].map((buffer) => device.read(buffer)));
      };
      const all = await normed(0, ROWS);
      for (const rows of [1, 2, 5, 64, 130]) {
        for (const [i, part] of (await normed(ROWS - rows, rows)).entries()) {
          expectSameBits(part, all[i]!, (ROWS - rows) * columns, `output ${i} of ${rows} rows of ${columns}`);
        }
      }
    });
  }
}

/** 17 rows per picture, heads of 64 columns: what every variant takes, and no tile divides. */
const CLIP = {
  ...SMALL_CLIP,
  text: { ...SMALL_CLIP.text, width: 128 },
  vision: { width: 128, layers: 2, heads: 2, intermediate: 96, imageSize: 16, patchSize: 4 },
  projectionDim: 128,
};

async function towers(device: Backend): Promise<void> {
  const engine = new Engine(device);
  const clip = randomClip(CLIP);
  using vision = await VisionTower.loadVision(engine, clip, clipVision(CLIP));
  const random = randomReals(11);
  const pictures = Array.from({ length: 7 }, () => Int32Array.from(random(16 * 16), (x) => x * 2 ** 31));
  const all = await encodePixels(vision, 'joint', pictures, clipPreprocessing(16), true);
  for (const size of [1, 2, 3, 6]) {
    for (let from = 0; from < pictures.length; from += size) {
      const some = await encodePixels(vision, 'joint', pictures.slice(from, from + size), clipPreprocessing(16), true);
      const told = `${size} pictures from number ${from}`;
      expectSameBits(some.features, all.features, from * CLIP.projectionDim, told);
      expectSameBits(some.pooled!, all.pooled!, from * CLIP.vision.width, told);
    }
  }
}

for (const [name, title, options] of ALL_WAYS) {
  describeOn(
    name,
    `a row's bits, ${title}`,
    (device) => {
      it.each(SEQUENCES)('attention and its gradients: %s', (_, geometry) => attention(device(), geometry));
      it('features of a picture', () => towers(device()));
      if (name === 'cpu') it('products of matrices', () => products(device()));
    },
    options,
  );
}

for (const matmulVariant of matmulVariants) {
  describeOn('webgpu', `a row's bits, ${matmulVariant}`, (device) => it('products', () => products(device())), {
    matmulVariant,
  });
}

for (const name of ['cpu', 'webgpu'] as const) {
  describeOn(name, "a row's bits", (device) => it('norms and softmax', () => norms(device())));
}
