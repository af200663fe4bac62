/** WGSL's own functions, of all lanes. */
import { InputError } from '../../errors.js';
import {
  bitcast,
  COMPONENTWISE,
  type Componentwise,
  converted,
  isReal,
  packedHalves,
  unpackedHalf,
  viewOf,
} from './arithmetic.js';
import type { Expressions } from './expressions.js';
import type { Machine } from './machine.js';
import { matrixBuiltinOf } from './matrices.js';
import type { Place, Value } from './scope.js';
import type { TypeName } from './tree.js';
import { NOTHING, numberType, scalarOf, wordsOf } from './types.js';
import { wide } from './values.js';

/** A call of one of WGSL's functions; undefined if it has none of that name. */
export function builtinOf(expressions: Expressions, to: TypeName, given: readonly Value[]): Value | undefined {
  const { machine } = expressions;
  const componentwise = COMPONENTWISE[to.name];
  if (componentwise) return componentwiseOf(expressions, componentwise, given);
  if (to.name === 'bitcast') {
    const type = expressions.typeOf(to.args[0] as TypeName);
    const [from, into] = [scalarOf(given[0]!.type), scalarOf(type)];
    return { type, run: () => given[0]!.run().map((value) => bitcast(value, from, into)) };
  }
  return FUNCTIONS[to.name]?.(machine, given, expressions, to.name) ?? matrixBuiltinOf(expressions, to, given);
}

type Of = (machine: Machine, given: readonly Value[], expressions: Expressions, name: string) => Value;

const barrier: Of = (machine) => ({
  type: NOTHING,
  run: () => {
    machine.counts.barriers++;
    machine.onBarrier?.();
    if (machine.activeLanes < machine.lanes) machine.divergedBarriers++;
    return new Float64Array(0);
  },
});

/** Of a subgroup's active lanes: one number for all. */
function reduction(start: number, add: (sum: number, value: number) => number): Of {
  return (machine, [value]) => ({
    type: value!.type,
    run: () => {
      const words = wordsOf(value!.type);
      machine.count('exchange', words);
      const { lanes, active, subgroupSize } = machine;
      const data = wide(value!.run(), words, lanes);
      const out = new Float64Array(data.length);
      for (let from = 0; from < words * lanes; from += lanes) {
        for (let first = 0; first < lanes; first += subgroupSize) {
          const end = Math.min(first + subgroupSize, lanes);
          let sum = start;
          for (let lane = first; lane < end; lane++) if (active[lane] !== 0) sum = add(sum, data[from + lane]!);
          out.fill(sum, from + first, from + end);
        }
      }
      return out;
    },
  });
}

/** From another lane of the subgroup. */
function exchange(source: (lane: number, given: number) => number): Of {
  return (machine, [value, by]) => ({
    type: value!.type,
    changes: true,
    run: () => {
      const words = wordsOf(value!.type);
      machine.count('exchange', words);
      const { lanes, subgroupSize } = machine;
      const data = value!.run();
      if (data.length === words) return data;
      const given = by && wide(by.run(), 1, lanes);
      const out = new Float64Array(data.length);
      for (let lane = 0; lane < lanes; lane++) {
        const own = lane % subgroupSize;
        const other = lane - own + source(own, given?.[lane] ?? 0);
        for (let word = 0; word < words; word++) out[word * lanes + lane] = data[word * lanes + other]!;
      }
      return out;
    },
  });
}

/** Lane by lane, as if in their order; gives what was there before. */
function atomic(apply: (old: number, value: number) => number): Of {
  return (machine, [pointer, given], expressions) => {
    const place = placeOf(pointer);
    const value = given && expressions.as(place.type, given);
    const view = viewOf(scalarOf(place.type));
    const site = {
      text: 'atomic',
      space: place.space as 'workgroup',
      buffer: place.name ?? '',
      write: true,
      bytes: 4,
      wordBytes: 4,
    } as const;
    return {
      type: place.type,
      run: () => {
        const operand = value && wide(value.run(), 1, machine.lanes);
        const { memory, offset } = place.at();
        const out = new Float64Array(machine.lanes);
        for (let lane = 0; lane < machine.lanes; lane++) {
          if (machine.active[lane] === 0) continue;
          const at = typeof offset === 'number' ? offset : offset[lane]!;
          out[lane] = memory![view][at]!;
          memory![view][at] = apply(out[lane]!, operand?.[lane] ?? 0);
        }
        machine.tell(site, offset, 1, memory!);
        return out;
      },
    };
  };
}

function placeOf(value: Value | undefined): Place {
  if (!value?.pointer) throw new InputError('expected a pointer to memory that the model knows');
  return value.pointer;
}

const FUNCTIONS: Readonly<Record<string, Of>> = {
  workgroupBarrier: barrier,
  storageBarrier: barrier,
  subgroupAdd: reduction(0, (sum, value) => Math.fround(sum + value)),
  subgroupMin: reduction(Number.POSITIVE_INFINITY, Math.min),
  subgroupMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  subgroupAny: reduction(0, (any, value) => Number(any !== 0 || value !== 0)),
  subgroupAll: reduction(1, (all, value) => Number(all !== 0 && value !== 0)),
  subgroupBroadcast: exchange((_, from) => from),
  subgroupBroadcastFirst: exchange(() => 0),
  subgroupShuffle: exchange((_, from) => from),
  subgroupShuffleXor: exchange((lane, mask) => lane ^ mask),
  subgroupShuffleDown: exchange((lane, by) => lane + by),
  subgroupShuffleUp: exchange((lane, by) => Math.max(0, lane - by)),
  atomicLoad: atomic((old) => old),
  atomicStore: atomic((_, value) => value),
  atomicAdd: atomic((old, value) => old + value),
  atomicMin: atomic(Math.min),
  atomicMax: atomic(Math.max),

  workgroupUniformLoad: (machine, [pointer], expressions, name) => {
    const place = placeOf(pointer);
    const run = () => {
      machine.counts.barriers += 2;
      const { memory, offset } = place.at();
      const at = typeof offset === 'number' ? offset : offset[0]!;
      return Float64Array.of(memory![viewOf(scalarOf(place.type))][at]!);
    };
    if (wordsOf(place.type) !== 1) throw new InputError(`${name}: expected a number`);
    return { type: expressions.as(place.type, { type: place.type, run }).type, run };
  },

  arrayLength: (_, [pointer]) => {
    const place = placeOf(pointer);
    const { type } = place;
    if (type.kind !== 'array') throw new InputError('arrayLength: expected a pointer to an array');
    const words = wordsOf({ ...type, count: 1 });
    return { type: numberType('u32'), run: () => Float64Array.of(Math.floor(place.at().memory!.words / words)) };
  },

  select: (machine, [otherwise, then, condition], expressions) => {
    const [a, b] = expressions.unified(otherwise!, then!);
    const { type } = a;
    const words = wordsOf(type);
    const isWide = wordsOf(condition!.type) > 1;
    return {
      type,
      changes: true,
      run: () => {
        machine.count(isReal(scalarOf(type)) ? 'arithmetic' : 'integer', words);
        const { lanes } = machine;
        const which = condition!.run();
        const [x, y] = [a.run(), b.run()];
        if (which.length === 1) return which[0] !== 0 ? y : x;
        const [no, yes] = [wide(x, words, lanes), wide(y, words, lanes)];
        const each = isWide ? wide(which, words, lanes) : which;
        return no.map((one, at) => (each[isWide ? at : at % lanes] !== 0 ? yes[at]! : one));
      },
    };
  },

  dot: (machine, [one, other], expressions) => {
    const [a, b] = expressions.unified(one!, other!);
    const scalar = scalarOf(a.type);
    const words = wordsOf(a.type);
    return {
      type: numberType(scalar),
      run: () => {
        machine.count(isReal(scalar) ? 'arithmetic' : 'integer', words);
        const { lanes } = machine;
        const [x, y] = [wide(a.run(), words, lanes), wide(b.run(), words, lanes)];
        const out = new Float64Array(lanes);
        for (let lane = 0; lane < lanes; lane++) {
          let sum = 0;
          for (let at = lane; at < words * lanes; at += lanes) sum = Math.fround(sum + x[at]! * y[at]!);
          out[lane] = sum;
        }
        return out;
      },
    };
  },

  all: (machine, [value]) => folded(machine, value!, 1, (all, one) => Number(all !== 0 && one !== 0)),
  any: (machine, [value]) => folded(machine, value!, 0, (any, one) => Number(any !== 0 || one !== 0)),

  unpack2x16float: (machine, [word]) => ({
    type: { kind: 'vector', of: 'f32', count: 2 },
    run: () => {
      machine.count('integer', 2);
      const { lanes } = machine;
      const words = wide(word!.run(), 1, lanes);
      const out = new Float64Array(2 * lanes);
      for (let lane = 0; lane < lanes; lane++) {
        out[lane] = unpackedHalf(words[lane]!, 0);
        out[lanes + lane] = unpackedHalf(words[lane]!, 1);
      }
      return out;
    },
  }),

  pack2x16float: (machine, [pair]) => ({
    type: numberType('u32'),
    run: () => {
      machine.count('integer', 2);
      const { lanes } = machine;
      const values = wide(pair!.run(), 2, lanes);
      return Float64Array.from({ length: lanes }, (_, lane) => packedHalves(values[lane]!, values[lanes + lane]!));
    },
  }),
};

/** A vector's components into one number. */
function folded(machine: Machine, value: Value, start: number, add: (sum: number, one: number) => number): Value {
  return {
    type: numberType('bool'),
    run: () => {
      const { lanes } = machine;
      const out = new Float64Array(lanes).fill(start);
      wide(value.run(), wordsOf(value.type), lanes).forEach((one, at) => {
        out[at % lanes] = add(out[at % lanes]!, one);
      });
      return out;
    },
  };
}

function componentwiseOf(
  expressions: Expressions,
  { of, count, times = 1 }: Componentwise,
  given: readonly Value[],
): Value {
  const { machine } = expressions;
  // Numbers without a suffix take the type of the others.
  const shared = given.reduce((one, other) => expressions.unified(one, other)[0]);
  const scalar = scalarOf(shared.type) === 'int' && count === 'special' ? 'float' : scalarOf(shared.type);
  const args = given.map((value) => expressions.as({ kind: 'vector', of: scalar, count: 1 }, value));
  const widths = args.map(({ type }) => wordsOf(type));
  const words = Math.max(...widths);
  const literals = args.map(({ literal }) => literal);
  if (literals.every((one) => one !== undefined))
    return expressions.literal(of(literals[0]!, literals[1] ?? 0, literals[2] ?? 0), scalar);
  const kind = count === 'arithmetic' && !isReal(scalar) ? 'integer' : count;
  return {
    type: { kind: 'vector', of: scalar, count: words },
    run: () => {
      machine.count(kind, words * times);
      const values = args.map((value) => value.run());
      const lanes = values.every((data, i) => data.length === widths[i]) ? 1 : machine.lanes;
      const [a, b, c] = values.map((data, i) => (lanes === 1 ? data : wide(data, widths[i]!, lanes)));
      const out = new Float64Array(words * lanes);
      for (let at = 0; at < out.length; at++) {
        const lane = at % lanes;
        const one = (data: Float64Array | undefined) => (data ? data[data.length === lanes ? lane : at]! : 0);
        out[at] = converted(of(one(a), one(b), one(c)), scalar, scalar);
      }
      return out;
    },
  };
}
