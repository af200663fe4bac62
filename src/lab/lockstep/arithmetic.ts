/** WGSL's operators and functions of numbers, for one component each. */
import { float32FromHalf, halfFromFloat32 } from '../../kernels/half.js';
import type { Counts } from './machine.js';
import type { Scalar } from './types.js';

type Two = (a: number, b: number) => number;

const { fround } = Math;

const halves = new Uint16Array(1);

const REAL: Readonly<Record<string, Two>> = {
  '+': (a, b) => fround(a + b),
  '-': (a, b) => fround(a - b),
  '*': (a, b) => fround(a * b),
  '/': (a, b) => fround(a / b),
  '%': (a, b) => fround(a % b),
};

/** Of numbers without a suffix, and of u32 and i32 before they are brought back into their range. */
const WHOLE: Readonly<Record<string, Two>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0 ? a : Math.trunc(a / b)),
  '%': (a, b) => (b === 0 ? 0 : a % b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
};

const FREE: Readonly<Record<string, Two>> = { ...WHOLE, '/': (a, b) => a / b, '%': (a, b) => a % b };

const U32: Readonly<Record<string, Two>> = {
  ...Object.fromEntries(Object.entries(WHOLE).map(([name, of]) => [name, (a: number, b: number) => of(a, b) >>> 0])),
  '*': (a, b) => Math.imul(a, b) >>> 0,
  '>>': (a, b) => a >>> b,
};

const I32: Readonly<Record<string, Two>> = {
  ...Object.fromEntries(Object.entries(WHOLE).map(([name, of]) => [name, (a: number, b: number) => of(a, b) | 0])),
  '*': (a, b) => Math.imul(a, b),
  '>>': (a, b) => a >> b,
};

/** The nearest number in half precision. */
function half(value: number): number {
  halves[0] = halfFromFloat32(value);
  return float32FromHalf(halves)[0]!;
}

const HALF: Readonly<Record<string, Two>> = Object.fromEntries(
  Object.entries(REAL).map(([name, of]) => [name, (a: number, b: number) => half(of(a, b))]),
);

const BOOL: Readonly<Record<string, Two>> = { '&': (a, b) => a & b, '|': (a, b) => a | b };

export const COMPARISONS: Readonly<Record<string, Two>> = {
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '<': (a, b) => Number(a < b),
  '>': (a, b) => Number(a > b),
  '<=': (a, b) => Number(a <= b),
  '>=': (a, b) => Number(a >= b),
};

/** By the operands' type, then by the operator. */
export const OPERATORS: Readonly<Record<Scalar, Readonly<Record<string, Two>>>> = {
  f32: REAL,
  f16: HALF,
  u32: U32,
  i32: I32,
  int: WHOLE,
  float: FREE,
  bool: BOOL,
};

/** A function of each component of its arguments, and as what a component counts. */
export interface Componentwise {
  readonly of: (a: number, b: number, c: number) => number;
  readonly count: keyof Counts;
  readonly times?: number;
}

const arithmetic = (of: Componentwise['of'], times = 1): Componentwise => ({ of, count: 'arithmetic', times });
const special = (of: Componentwise['of'], times = 1): Componentwise => ({
  of: (a, b, c) => fround(of(a, b, c)),
  count: 'special',
  times,
});

/** Half to even, as WGSL's `round` does. */
function roundEven(a: number): number {
  const down = Math.floor(a);
  if (a - down !== 0.5) return Math.round(a);
  return down % 2 === 0 ? down : down + 1;
}

/** Functions whose arguments and result have one type. */
export const COMPONENTWISE: Readonly<Record<string, Componentwise>> = {
  abs: arithmetic((a) => Math.abs(a)),
  min: arithmetic((a, b) => Math.min(a, b)),
  max: arithmetic((a, b) => Math.max(a, b)),
  clamp: arithmetic((a, b, c) => Math.min(Math.max(a, b), c), 2),
  saturate: arithmetic((a) => Math.min(Math.max(a, 0), 1)),
  sign: arithmetic((a) => Math.sign(a)),
  floor: arithmetic((a) => Math.floor(a)),
  ceil: arithmetic((a) => Math.ceil(a)),
  trunc: arithmetic((a) => Math.trunc(a)),
  round: arithmetic(roundEven),
  fract: arithmetic((a) => fround(a - Math.floor(a)), 2),
  fma: arithmetic((a, b, c) => fround(a * b + c)),
  mix: arithmetic((a, b, c) => fround(a * (1 - c) + b * c), 2),
  step: arithmetic((a, b) => Number(a <= b)),
  exp: special((a) => Math.exp(a)),
  exp2: special((a) => 2 ** a),
  log: special((a) => Math.log(a)),
  log2: special((a) => Math.log2(a)),
  sqrt: special((a) => Math.sqrt(a)),
  inverseSqrt: special((a) => 1 / Math.sqrt(a)),
  sin: special((a) => Math.sin(a)),
  cos: special((a) => Math.cos(a)),
  tanh: special((a) => Math.tanh(a), 2),
  pow: special((a, b) => a ** b, 2),
};

/** A value's words as another type's: through the memory that both share. */
const scratch = { f32: new Float32Array(1), u32: new Uint32Array(0), i32: new Int32Array(0) };
scratch.u32 = new Uint32Array(scratch.f32.buffer);
scratch.i32 = new Int32Array(scratch.f32.buffer);

export function bitcast(value: number, from: Scalar, to: Scalar): number {
  scratch[viewOf(from)][0] = value;
  return scratch[viewOf(to)][0]!;
}

/** In which view of memory numbers of a type lie. */
export function viewOf(type: Scalar): 'f32' | 'u32' | 'i32' {
  if (type === 'bool') return 'u32';
  return type === 'int' ? 'i32' : type === 'float' || type === 'f16' ? 'f32' : type;
}

/** Whether it is of numbers with a fraction. */
export function isReal(type: Scalar): boolean {
  return type === 'f32' || type === 'f16' || type === 'float';
}

/** A number as another type's, as a constructor such as `u32(x)` makes it. */
export function converted(value: number, from: Scalar, to: Scalar): number {
  switch (to) {
    case 'bool':
      return Number(value !== 0);
    case 'f32':
      return fround(value);
    case 'f16':
      return half(value);
    case 'u32':
      return isReal(from) ? Math.min(Math.max(Math.trunc(value), 0), 0xffff_ffff) : value >>> 0;
    case 'i32':
      return isReal(from) ? Math.min(Math.max(Math.trunc(value), -0x8000_0000), 0x7fff_ffff) : value | 0;
    default:
      return value;
  }
}

/** One of the two halves of a word. */
export function unpackedHalf(word: number, which: 0 | 1): number {
  halves[0] = which === 0 ? word & 0xffff : word >>> 16;
  return float32FromHalf(halves)[0]!;
}

export function packedHalves(low: number, high: number): number {
  return (halfFromFloat32(low) | (halfFromFloat32(high) << 16)) >>> 0;
}
