/** WGSL's types as the lockstep machine lays them out: in words of four bytes, or of two for halves, and in memory as WGSL aligns them. */
import { InputError } from '../../errors.js';
import type { Parameter, Program, TypeName } from './tree.js';

/** `int` and `float` are numbers without a suffix, which take the type of what they meet. */
export type Scalar = 'bool' | 'u32' | 'i32' | 'f32' | 'f16' | 'int' | 'float';

export type Type =
  | { readonly kind: 'vector'; readonly of: Scalar /** 1 for a number. */; readonly count: number }
  | { readonly kind: 'array'; readonly of: Type /** 0 where it depends on the buffer. */; readonly count: number }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly Field[] }
  | { readonly kind: 'pointer'; readonly to: Type; readonly space: string }
  | {
      readonly kind: 'matrix';
      readonly use: 'left' | 'right' | 'result';
      readonly of: Scalar;
      readonly columns: number;
      readonly rows: number;
      /** What a lane holds of it, in words. */
      readonly words: number;
    };

/** What a function returns that returns nothing. */
export const NOTHING: Type = { kind: 'struct', name: 'nothing', fields: [] };

export interface Field {
  readonly name: string;
  readonly type: Type;
  /** The word that it begins at. */
  readonly at: number;
  readonly builtin: string | undefined;
}

export function numberType(of: Scalar): Type {
  return { kind: 'vector', of, count: 1 };
}

/** Words that it takes, without those behind its last. */
export function wordsOf(type: Type): number {
  switch (type.kind) {
    case 'vector':
      return type.count;
    case 'array':
      return type.count * strideOf(type);
    case 'struct': {
      const last = type.fields.at(-1);
      return last ? roundUp(last.at + wordsOf(last.type), alignmentOf(type)) : 0;
    }
    case 'pointer':
      return 0;
    case 'matrix':
      return type.words;
  }
}

/** Words from one element of an array to the next. */
export function strideOf({ of }: Type & { kind: 'array' }): number {
  return roundUp(wordsOf(of), alignmentOf(of));
}

function alignmentOf(type: Type): number {
  switch (type.kind) {
    case 'vector':
      return type.count === 3 ? 4 : type.count;
    case 'array':
      return alignmentOf(type.of);
    case 'struct':
      return type.fields.reduce((most, field) => Math.max(most, alignmentOf(field.type)), 1);
    case 'pointer':
    case 'matrix':
      return 1;
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** The type of a vector's or number's components. Throws InputError for any other. */
export function scalarOf(type: Type): Scalar {
  if (type.kind === 'vector') return type.of;
  throw new InputError(`expected a number or a vector, found ${type.kind === 'struct' ? type.name : type.kind}`);
}

/** With the type that a variable has whose value is a number without a suffix. */
export function concrete(type: Type): Type {
  if (type.kind !== 'vector' || (type.of !== 'int' && type.of !== 'float')) return type;
  return { ...type, of: type.of === 'int' ? 'i32' : 'f32' };
}

const SHORT: Readonly<Record<string, Scalar>> = { f: 'f32', u: 'u32', i: 'i32', h: 'f16' };
const NUMBERS: ReadonlySet<string> = new Set<Scalar>(['f32', 'f16', 'u32', 'i32', 'bool']);

/** The types that a program names. `count` works out an array's, or a number of rows. Throws InputError for one that is not of the part that is read. */
export function typesOf(
  program: Program,
  subgroupSize: number,
  count: (size: TypeName['args'][number]) => number,
): (name: TypeName) => Type {
  const structs = new Map<string, Type>();
  const typeOf = (given: TypeName): Type => {
    const { name, args } = given;
    const alias = program.aliases.get(name);
    if (alias) return typeOf(alias);
    const of = () => typeOf(args[0] as TypeName);
    if (NUMBERS.has(name)) return numberType(name as Scalar);
    if (name === 'atomic') return of();
    if (name === 'array') return { kind: 'array', of: of(), count: args[1] === undefined ? 0 : count(args[1]) };
    if (name === 'ptr') return { kind: 'pointer', space: (args[0] as TypeName).name, to: typeOf(args[1] as TypeName) };
    const [, use] = /^subgroup_matrix_(left|right|result)$/.exec(name) ?? [];
    if (use !== undefined) {
      const [columns, rows] = [count(args[1]!), count(args[2]!)];
      const words = Math.ceil((columns * rows) / subgroupSize);
      return { kind: 'matrix', use: use as 'left', of: scalarOf(of()), columns, rows, words };
    }
    const [, size, short] = /^vec([234])([fuih]?)$/.exec(name) ?? [];
    if (size !== undefined && (short !== '' || args.length > 0))
      return { kind: 'vector', count: Number(size), of: short ? SHORT[short]! : scalarOf(of()) };
    const fields = program.structs.get(name);
    if (!fields)
      throw new InputError(
        `${name}: expected a declared function, or a type of numbers of 32 or 16 bits, vectors, arrays or structures`,
      );
    const known = structs.get(name) ?? structOf(name, fields, typeOf);
    structs.set(name, known);
    return known;
  };
  return typeOf;
}

function structOf(name: string, parameters: readonly Parameter[], typeOf: (name: TypeName) => Type): Type {
  let at = 0;
  const fields = parameters.map(({ name, type: typeName, builtin }): Field => {
    const type = typeOf(typeName);
    const start = roundUp(at, alignmentOf(type));
    at = start + wordsOf(type);
    return { name, type, at: start, builtin };
  });
  return { kind: 'struct', name, fields };
}

/** The type of an element, and how many words it is from the next. */
export function elementOf(type: Type): readonly [Type, number] {
  if (type.kind === 'vector') return [numberType(type.of), 1];
  if (type.kind === 'array') return [type.of, strideOf(type)];
  throw new InputError(`expected an array or a vector before [, found ${type.kind}`);
}

/** An element's type, and the word that it begins at. */
export function elementAt(type: Type, index: number): { type: Type; at: number } {
  const [of, stride] = elementOf(type);
  return { type: of, at: index * stride };
}

/** A field, or one component; undefined if the name is of several components. */
export function fieldOf(type: Type, name: string): { type: Type; at: number } | undefined {
  if (type.kind === 'struct') return type.fields.find((field) => field.name === name);
  if (type.kind !== 'vector' || name.length !== 1) return undefined;
  const at = Math.max('xyzw'.indexOf(name), 'rgba'.indexOf(name));
  return at < 0 ? undefined : { type: numberType(type.of), at };
}

/** The type of the numbers in a value, which are all of one: others cannot be loaded as a whole. */
export function scalarIn(type: Type): Scalar {
  if (type.kind === 'array') return scalarIn(type.of);
  if (type.kind === 'struct') {
    const kinds = new Set(type.fields.map((field) => scalarIn(field.type)));
    if (kinds.size === 1) return [...kinds][0]!;
    throw new InputError(`${type.name}: expected a structure in memory whose fields have one type of number`);
  }
  return scalarOf(type);
}

/** Bytes of a word of numbers in memory: halves take two. Throws InputError if some of them do. */
export function wordBytesOf(type: Type): 2 | 4 {
  if (type.kind === 'array') return wordBytesOf(type.of);
  if (type.kind === 'vector') return type.of === 'f16' ? 2 : 4;
  if (type.kind === 'pointer' || type.kind === 'matrix') return 4;
  const all = new Set(type.fields.map((field) => wordBytesOf(field.type)));
  if (all.size > 1)
    throw new InputError(`${type.name}: expected a structure in memory of halves only, or without them`);
  return all.has(2) ? 2 : 4;
}
