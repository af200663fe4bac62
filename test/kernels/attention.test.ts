/** What a row does not see does not reach it: NaN and infinities in every operand, in every implementation of attention. */
import { expect, it } from 'vitest';
import { pictureRows, type RowVisibility, treeRows } from '../../src/kernels/families/visibility.js';
import { type Backend, CpuBackend, type DeviceBuffer, kernels } from '../../src/kernels/index.js';
import { ALL_WAYS, describeOn } from '../support/devices.js';
import { randomReals } from '../support/random.js';

const HEADS = 2;
// What all variants take.
const HEAD_WIDTH = 64;
const WIDTH = HEADS * HEAD_WIDTH;

interface Inputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly gradOut: Float32Array;
}

type Outputs = Record<'out' | 'gradQ' | 'gradK' | 'gradV', Float64Array>;

/** Attention and both of its gradients, which take what attention gave. */
async function attend(
  device: Backend,
  geometry: Pick<RowVisibility, 'visible' | 'seenBy'>,
  inputs: Inputs,
): Promise<Outputs> {
  const buffers: DeviceBuffer[] = [];
  const allocate = (dtype: 'f32' | 'i32', length: number, data?: ArrayLike<number>) => {
    const buffer = device.allocate(dtype, length);
    buffers.push(buffer);
    if (data) device.write(buffer, data);
    return buffer;
  };
  // Keys and values lie side by side, as their gradients do.
  const packed = new Float32Array(2 * inputs.k.length);
  for (let row = 0; row < inputs.k.length / WIDTH; row++) {
    packed.set(inputs.k.subarray(row * WIDTH, (row + 1) * WIDTH), 2 * row * WIDTH);
    packed.set(inputs.v.subarray(row * WIDTH, (row + 1) * WIDTH), (2 * row + 1) * WIDTH);
  }
  const kv = allocate('f32', packed.length, packed);
  const [queries, keys] = [geometry.visible.length / 4, geometry.seenBy.length / 2];
  const args = {
    ...{ queries, keys, heads: HEADS, headWidth: HEAD_WIDTH },
    visible: allocate('i32', 4 * queries, geometry.visible),
    seenBy: allocate('i32', 2 * keys, geometry.seenBy),
    ...{ q: allocate('f32', inputs.q.length, inputs.q), qStride: WIDTH, qOffset: 0 },
    ...{ k: kv, kStride: 2 * WIDTH, kOffset: 0, v: kv, vStride: 2 * WIDTH, vOffset: WIDTH },
    logSumExp: allocate('f32', queries * HEADS),
  };
  const out = allocate('f32', queries * WIDTH);
  device.run(kernels.attention, { ...args, out });
  const gradOut = allocate('f32', queries * WIDTH, inputs.gradOut);
  const delta = allocate('f32', queries * HEADS);
  device.run(kernels.groupDot, {
    ...{ a: gradOut, b: out, out: delta, groups: queries * HEADS, members: 1, width: HEAD_WIDTH, scale: 1 },
  });
  const gradQ = allocate('f32', queries * WIDTH);
  device.run(kernels.attentionGradQuery, { ...args, delta, gradOut, gradQ });
  const gradKv = allocate('f32', keys * 2 * WIDTH);
  device.run(kernels.attentionGradKeyValue, { ...args, delta, gradOut, gradKv });
  const read = async (buffer: DeviceBuffer) => Float64Array.from(await device.read(buffer));
  const grads = await read(gradKv);
  const half = (first: number) => grads.filter((_, i) => Math.floor(i / WIDTH) % 2 === first);
  const results = { out: await read(out), gradQ: await read(gradQ), gradK: half(0), gradV: half(1) };
  for (const buffer of buffers) device.free(buffer);
  return results;
}

function inputsFor({ visible, seenBy }: Pick<RowVisibility, 'visible' | 'seenBy'>): Inputs {
  const random = randomReals(5);
  const [queries, keys] = [visible.length / 4, seenBy.length / 2];
  const [q, k, v, gradOut] = [queries, keys, keys, queries].map((rows) => Float32Array.from(random(rows * WIDTH)));
  return { q: q!, k: k!, v: v!, gradOut: gradOut! };
}

/** Rows that do not fill tiles of 5 or 8, several sequences in one tile, and rows that see nothing among them. */
const geometries: [string, Pick<RowVisibility, 'visible' | 'seenBy'>][] = [
  ['pictures', pictureRows(3, 7)],
  ['pictures whose first rows ask', pictureRows(4, 7).onlyLeaves()],
  ['causal sequences', treeRows(3, 0, [4, 9])],
  ['trees', treeRows(2, 3, [2, 1, 4], 2)],
];

const oracle = new CpuBackend({ precision: 'f64' });
const VALUES = [Number.NaN, Number.POSITIVE_INFINITY];

for (const [name, title, options] of ALL_WAYS) {
  describeOn(
    name,
    `attention, ${title}`,
    (device) => {
      it.each(geometries)('NaN and infinity reach no row that does not see them: %s', async (_, geometry) => {
        const inputs = inputsFor(geometry);
        const clean = await attend(device(), geometry, inputs);
        for (const operand of ['q', 'k', 'v', 'gradOut'] as const) {
          const rows = inputs[operand].length / WIDTH;
          for (const [i, value] of VALUES.entries()) {
            // The last row of a causal sequence, and one in the middle of a picture.
            for (const row of [rows - 1 - 2 * i, Math.floor(rows / 2)]) {
              const bad = inputs[operand].slice();
              bad[row * WIDTH + 3] = value;
              const found = await attend(device(), geometry, { ...inputs, [operand]: bad });
              const expected = await attend(oracle, geometry, { ...inputs, [operand]: bad });
              const where = `${value} in row ${row} of ${operand}`;
              const reached = reachedRows(geometry, operand, row);
              for (const output of Object.keys(found) as (keyof Outputs)[]) {
                for (const [at, number] of found[output].entries()) {
                  const [at_row, head] = [Math.floor(at / WIDTH), Math.floor((at % WIDTH) / HEAD_WIDTH)];
                  const told = `${output}[${at_row}, ${at % WIDTH}], ${where}`;
                  if (head > 0 || !reached[output].has(at_row)) {
                    if (!Object.is(number, clean[output][at])) expect(number, told).toBe(clean[output][at]);
                  } else if (Number.isFinite(number) !== Number.isFinite(expected[output][at])) {
                    expect(number, told).toBe(expected[output][at]);
                  }
                }
              }
            }
          }
        }
      });

      it('NaN and infinity reach no other image, with a bias', async () => {
        const [images, rows] = [3, 7];
        const random = randomReals(6);
        const qkv = Float32Array.from(random(images * rows * 3 * WIDTH));
        const bias = Float32Array.from(random(HEADS * rows * rows));
        const clean = await attendBiased(device(), images, rows, qkv, bias);
        for (const value of VALUES) {
          for (const third of [0, 1, 2]) {
            const bad = qkv.slice();
            // The second image's, which may share a tile with either of the others.
            bad[(rows + 5) * 3 * WIDTH + third * WIDTH + 3] = value;
            const found = await attendBiased(device(), images, rows, bad, bias);
            const expected = await attendBiased(oracle, images, rows, bad, bias);
            for (const [at, number] of found.entries()) {
              const [row, head] = [Math.floor(at / WIDTH), Math.floor((at % WIDTH) / HEAD_WIDTH)];
              const told = `out[${row}, ${at % WIDTH}], ${value} in third ${third}`;
              const reached = head === 0 && (third === 0 ? row === rows + 5 : row >= rows && row < 2 * rows);
              if (!reached) {
                if (!Object.is(number, clean[at])) expect(number, told).toBe(clean[at]);
              } else if (Number.isFinite(number) !== Number.isFinite(expected[at])) {
                expect(number, told).toBe(expected[at]);
              }
            }
          }
        }
      });
    },
    options,
  );
}

async function attendBiased(
  device: Backend,
  images: number,
  rows: number,
  qkv: Float32Array,
  bias: Float32Array,
): Promise<Float64Array> {
  const [inputs, added] = [qkv, bias].map((data) => {
    const buffer = device.allocate('f32', data.length);
    device.write(buffer, data);
    return buffer;
  });
  const out = device.allocate('f32', qkv.length / 3);
  const sizes = { images, rows, heads: HEADS, headWidth: HEAD_WIDTH };
  device.run(kernels.biasedAttention, { ...sizes, qkv: inputs!, bias: added!, out });
  const result = Float64Array.from(await device.read(out));
  for (const buffer of [inputs!, added!, out]) device.free(buffer);
  return result;
}

/** By brute force: the rows of each output that anything in this row of an operand can reach. */
function reachedRows(
  { visible, seenBy }: Pick<RowVisibility, 'visible' | 'seenBy'>,
  operand: keyof Inputs,
  row: number,
): Record<keyof Outputs, Set<number>> {
  const queries = Array.from({ length: visible.length / 4 }, (_, i) => i);
  const sees = (query: number, key: number) => {
    const [a, b, c, d] = visible.slice(4 * query, 4 * query + 4);
    return (key >= a! && key < b!) || (key >= c! && key < d!);
  };
  const ofQuery = operand === 'q' || operand === 'gradOut';
  const asking = queries.filter((query) => (ofQuery ? query === row : sees(query, row)));
  const keys = Array.from({ length: seenBy.length / 2 }, (_, j) => j);
  const asked = keys.filter((key) => (!ofQuery && key === row) || asking.some((query) => sees(query, key)));
  const out = operand === 'gradOut' ? [] : asking;
  return { out: new Set(out), gradQ: new Set(asking), gradK: new Set(asked), gradV: new Set(asked) };
}
