/** Values made of parts: `vec4<f32>(x, 0.0)`, arrays and structures. */
import { InputError } from '../../errors.js';
import type { Expressions } from './expressions.js';
import type { Machine } from './machine.js';
import type { Value } from './scope.js';
import type { TypeName } from './tree.js';
import { elementAt, scalarOf, type Type, wordsOf } from './types.js';
import { wide } from './values.js';

/** `vec2(x, y)` and `array(x, y)` leave the type of their elements to their arguments. */
function typeOf(expressions: Expressions, to: TypeName, given: readonly Value[]): Type {
  const first = given[0];
  if (first && to.args.length === 0) {
    if (to.name === 'array') return { kind: 'array', of: first.type, count: given.length };
    const [, size] = /^vec([234])$/.exec(to.name) ?? [];
    if (size !== undefined) return { kind: 'vector', count: Number(size), of: scalarOf(first.type) };
  }
  return expressions.typeOf(to);
}

/** Of its parts, or of zeros. Throws InputError if there are not as many as the type has. */
export function constructed(expressions: Expressions, to: TypeName, given: readonly Value[], text: string): Value {
  const { machine } = expressions;
  const type = typeOf(expressions, to, given);
  const words = wordsOf(type);
  if (given.length === 0) return { type, run: () => new Float64Array(words) };
  if (type.kind === 'vector') {
    const parts = given.map((value) => expressions.cast(value, type.of));
    const only = parts.length === 1 ? parts[0]! : undefined;
    if (type.count === 1 && only) return only;
    const isSplat = only !== undefined && wordsOf(only.type) === 1;
    if (!isSplat && parts.reduce((sum, part) => sum + wordsOf(part.type), 0) !== words)
      throw new InputError(`${text}: expected ${words} numbers`);
    return { type, run: () => joined(machine, isSplat ? Array<Value>(type.count).fill(only) : parts, words) };
  }
  const places = type.kind === 'struct' ? type.fields : given.map((_, i) => elementAt(type, i));
  if (given.length !== places.length) throw new InputError(`${text}: expected ${places.length} values`);
  const parts = given.map((value, i) => expressions.as(places[i]!.type, value));
  return {
    type,
    run: () => {
      const values = parts.map((part) => part.run());
      const lanes = values.every((value, i) => value.length === wordsOf(parts[i]!.type)) ? 1 : machine.lanes;
      const out = new Float64Array(words * lanes);
      for (const [i, value] of values.entries())
        out.set(lanes === 1 ? value : wide(value, wordsOf(parts[i]!.type), lanes), places[i]!.at * lanes);
      return out;
    },
  };
}

function joined({ lanes: all }: Machine, parts: readonly Value[], words: number): Float64Array {
  const values = parts.map((part) => part.run());
  const lanes = values.every((value, i) => value.length === wordsOf(parts[i]!.type)) ? 1 : all;
  const out = new Float64Array(words * lanes);
  let at = 0;
  for (const [i, value] of values.entries()) {
    const own = wordsOf(parts[i]!.type);
    out.set(lanes === 1 ? value : wide(value, own, lanes), at * lanes);
    at += own;
  }
  return out;
}
