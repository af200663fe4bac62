/**
 * Matrices that a subgroup holds together: `subgroup_matrix_left`, `_right` and `_result` of the WGSL extension `chromium_experimental_subgroup_matrix`
 * (https://github.com/gpuweb/gpuweb/blob/main/proposals/subgroup-matrix.md). Which lane holds which element is the device's choice; here element `e`,
 * counted along the rows, is word `e / size` of lane `e % size` of a subgroup of that size.
 */
import { InputError } from '../../errors.js';
import { viewOf } from './arithmetic.js';
import type { Expressions } from './expressions.js';
import type { Machine } from './machine.js';
import type { Value } from './scope.js';
import type { TypeName } from './tree.js';
import { NOTHING, scalarIn, type Type, wordBytesOf } from './types.js';
import { added, wide } from './values.js';

type MatrixType = Type & { kind: 'matrix' };

/** A call of one of the extension's functions; undefined if it has none of that name. */
export function matrixBuiltinOf(expressions: Expressions, to: TypeName, given: readonly Value[]): Value | undefined {
  const { machine } = expressions;
  const names = to.args as readonly TypeName[];
  switch (to.name) {
    case 'subgroupMatrixLoad': {
      const [pointer, offset, stride] = given;
      const type = matrix(names[0] && expressions.typeOf(names[0]), to.name);
      const run = access(expressions, type, to.name, [pointer, offset, stride], names[1]);
      return { type, run: () => run() };
    }
    case 'subgroupMatrixStore': {
      const [pointer, offset, value, stride] = given;
      const run = access(
        expressions,
        matrix(value?.type, to.name),
        to.name,
        [pointer, offset, stride],
        names[0],
        value,
      );
      return { type: NOTHING, run: () => run() };
    }
    case 'subgroupMatrixMultiplyAccumulate':
      return multiplied(machine, to.name, given);
    default:
      return undefined;
  }
}

function matrix(type: Type | undefined, name: string): MatrixType {
  if (type?.kind === 'matrix') return type;
  throw new InputError(`${name}: expected a matrix of a subgroup, found ${type?.kind ?? 'none'}`);
}

/** Loads a matrix from memory, or stores `value` there. */
function access(
  { machine }: Expressions,
  type: MatrixType,
  name: string,
  [pointer, offset, stride]: readonly (Value | undefined)[],
  order: TypeName | undefined,
  value?: Value,
): () => Float64Array {
  const place = pointer?.pointer;
  if (place?.type.kind !== 'array' || scalarIn(place.type) !== type.of)
    throw new InputError(`${name}: expected a pointer to an array of ${type.of}`);
  if (!offset || !stride || (order?.name !== 'row_major' && order?.name !== 'col_major'))
    throw new InputError(`${name}: expected row_major or col_major, and an offset and a stride`);
  const { rows, columns, words } = type;
  const byRows = order.name === 'row_major';
  const view = viewOf(type.of);
  const wordBytes = wordBytesOf(place.type);
  const site = {
    ...{ text: name, space: place.space as 'storage' | 'workgroup', buffer: place.name ?? '' },
    ...{ write: value !== undefined, bytes: wordBytes, wordBytes },
  };
  return () => {
    const { lanes, subgroupSize } = machine;
    requireWhole(machine, name);
    const [from, step] = [offset, stride].map((one) => sameInSubgroup(machine, one, name));
    const { memory, offset: start } = place.at();
    const out = value ? wide(value.run(), words, lanes) : new Float64Array(words * lanes);
    for (let word = 0; word < words; word++) {
      const places = new Float64Array(lanes);
      const holds = machine.active.slice();
      for (let lane = 0; lane < lanes; lane++) {
        const element = word * subgroupSize + (lane % subgroupSize);
        if (element >= rows * columns) holds[lane] = 0;
        const [row, column] = [Math.floor(element / columns), element % columns];
        places[lane] = from![lane]! + (byRows ? row * step![lane]! + column : column * step![lane]! + row);
      }
      const { active } = machine;
      machine.activate(holds);
      const at = added(start, places);
      const own = out.subarray(word * lanes, (word + 1) * lanes);
      if (value) machine.store(memory!, at, own, 1, view, site);
      else own.set(machine.load(memory!, at, 1, view, site));
      machine.activate(active);
    }
    return value ? new Float64Array(0) : out;
  };
}

/** left . right + sums: each sum takes up its products in the order of the inner axis, rounded to single precision after each. */
function multiplied(machine: Machine, name: string, given: readonly Value[]): Value {
  const [left, right, sums] = [0, 1, 2].map((i) => matrix(given[i]?.type, name));
  const { rows, columns, words } = sums!;
  const inner = left!.columns;
  const fits = left!.rows === rows && right!.columns === columns && right!.rows === inner && left!.of === right!.of;
  if (!fits || sums!.of !== 'f32' || left!.use !== 'left' || right!.use !== 'right' || sums!.use !== 'result')
    throw new InputError(`${name}: expected a left and a right matrix of one type, and their result in f32`);
  return {
    type: sums!,
    run: () => {
      const { lanes, subgroupSize } = machine;
      requireWhole(machine, name);
      machine.count('arithmetic', Math.ceil((rows * columns * inner) / subgroupSize));
      const [a, b, c] = given.map((value, i) => wide(value.run(), [left, right, sums][i]!.words, lanes));
      const out = new Float64Array(words * lanes);
      for (let first = 0; first < lanes; first += subgroupSize) {
        if (machine.active[first] === 0) continue;
        const at = (element: number) => Math.floor(element / subgroupSize) * lanes + first + (element % subgroupSize);
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const own = at(row * columns + column);
            let sum = c![own]!;
            for (let p = 0; p < inner; p++)
              sum = Math.fround(sum + a![at(row * inner + p)]! * b![at(p * columns + column)]!);
            out[own] = sum;
          }
        }
      }
      return out;
    },
  };
}

/** Throws InputError unless every subgroup has all of its lanes, and all or none of them are active. */
function requireWhole({ lanes, active, subgroupSize }: Machine, name: string): void {
  if (lanes % subgroupSize !== 0)
    throw new InputError(
      `${name}: expected a workgroup of whole subgroups of ${subgroupSize}, found ${lanes} invocations`,
    );
  for (let lane = 0; lane < lanes; lane++)
    if (active[lane] !== active[lane - (lane % subgroupSize)])
      throw new InputError(`${name}: expected all invocations of a subgroup to come by, found some`);
}

/** A number of each lane. Throws InputError if the active lanes of a subgroup differ in it. */
function sameInSubgroup({ lanes, active, subgroupSize }: Machine, value: Value, name: string): Float64Array {
  const numbers = wide(value.run(), 1, lanes);
  for (let lane = 0; lane < lanes; lane++)
    if (active[lane] !== 0 && numbers[lane] !== numbers[lane - (lane % subgroupSize)])
      throw new InputError(`${name}: expected one offset and stride for all invocations of a subgroup`);
  return numbers;
}
