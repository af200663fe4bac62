/** Twins of the kernels that move and sum whole rows. */
import type {
  AffineArgs,
  BroadcastRowsArgs,
  GatherRowsArgs,
  PatchRowsArgs,
  ScatterAddRowsArgs,
  SumRowsArgs,
} from '../contract.js';
import { ints, real } from './arrays.js';

export function gatherRows(args: GatherRowsArgs): void {
  const { rows, columns } = args;
  const [source, index, out] = [real(args.source), ints(args.index), real(args.out)];
  const base = args.base && real(args.base.buffer);
  const baseIndex = args.base && ints(args.base.index);
  for (let row = 0; row < rows; row++) {
    const from = index[row]!;
    const baseFrom = baseIndex ? baseIndex[row]! : -1;
    for (let c = 0; c < columns; c++) {
      out[row * columns + c] =
        (from < 0 ? 0 : source[from * columns + c]!) + (base && baseFrom >= 0 ? base[baseFrom * columns + c]! : 0);
    }
  }
}

export function scatterAddRows(args: ScatterAddRowsArgs): void {
  const { sourceRows, columns } = args;
  const [gradOut, out] = [real(args.gradOut), real(args.out)];
  const [readerStart, readers] = [ints(args.readerStart), ints(args.readers)];
  for (let row = 0; row < sourceRows; row++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let t = readerStart[row]!; t < readerStart[row + 1]!; t++) sum += gradOut[readers[t]! * columns + c]!;
      out[row * columns + c] = sum;
    }
  }
}

export function affine(args: AffineArgs): void {
  const { scale, shift, length } = args;
  const [x, out] = [real(args.x), real(args.out)];
  const addend = args.addend && real(args.addend);
  for (let i = 0; i < length; i++) out[i] = scale * x[i]! + shift + (addend ? addend[i]! : 0);
}

export function sumRows(args: SumRowsArgs): void {
  const { rows, columns, scale } = args;
  const [x, out] = [real(args.x), real(args.out)];
  for (let c = 0; c < columns; c++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += x[row * columns + c]!;
    out[c] = scale * sum;
  }
}

export function broadcastRows(args: BroadcastRowsArgs): void {
  const { rows, columns, scale } = args;
  const [x, out] = [real(args.x), real(args.out)];
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) out[row * columns + c] = scale * x[c]!;
  }
}

export function patchRows(args: PatchRowsArgs): void {
  const { batch, size, patch } = args;
  const [pixels, out] = [real(args.pixels), real(args.out)];
  const grid = size / patch;
  let at = 0;
  for (let picture = 0; picture < batch; picture++) {
    for (let row = 0; row < grid; row++) {
      for (let column = 0; column < grid; column++) {
        for (let channel = 0; channel < 3; channel++) {
          for (let y = 0; y < patch; y++) {
            const from = ((picture * 3 + channel) * size + row * patch + y) * size + column * patch;
            for (let x = 0; x < patch; x++) out[at++] = pixels[from + x]!;
          }
        }
      }
    }
  }
}
