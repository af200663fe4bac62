/** WGSL's expressions and assignments as functions of all lanes. */
import { InputError } from '../../errors.js';
import { COMPARISONS, converted, isReal, OPERATORS, viewOf } from './arithmetic.js';
import { builtinOf } from './builtins.js';
import type { CompiledFunction } from './compile.js';
import { constructed } from './construct.js';
import type { Machine, Site } from './machine.js';
import type { Place, Scope, Value } from './scope.js';
import type { Expression, Program, Statement, TypeName } from './tree.js';
import {
  elementOf,
  fieldOf,
  NOTHING,
  numberType,
  type Scalar,
  scalarIn,
  scalarOf,
  type Type,
  typesOf,
  wordBytesOf,
  wordsOf,
} from './types.js';
import { added, type Offset, offsetOf, wordsAt, zipped } from './values.js';

export class Expressions {
  readonly typeOf: (name: TypeName) => Type;

  /** `functionNamed` compiles a function of the text. */
  constructor(
    readonly machine: Machine,
    private readonly program: Program,
    readonly globals: Scope,
    private readonly functionNamed: (name: string) => CompiledFunction,
  ) {
    this.typeOf = typesOf(program, machine.subgroupSize, (size) => {
      const count = 'kind' in size ? size : ({ kind: 'name', name: size.name, text: size.name } as const);
      return this.number(count);
    });
  }

  /** A number that is known before anything runs. Throws InputError if it is not. */
  number(expression: Expression): number {
    const { literal } = this.value(expression, this.globals);
    if (literal === undefined) throw new InputError(`${expression.text}: expected a constant`);
    return literal;
  }

  value(expression: Expression, scope: Scope): Value {
    switch (expression.kind) {
      case 'literal':
        return this.literal(expression.value, expression.type);
      case 'name': {
        const found = scope.find(expression.name);
        if (found?.kind === 'value') return found.value;
        if (found?.kind === 'pointer') return { type: pointerTo(found.place), run: nothing, pointer: found.place };
        return this.#load(this.place(expression, scope), expression.text);
      }
      case 'call':
        return this.#call(expression, scope);
      case 'index':
      case 'member': {
        const place = this.#placeIn(expression, scope);
        return place ? this.#load(place, expression.text) : this.#part(expression, scope);
      }
      case 'unary':
        return this.#unary(expression, scope);
      case 'binary':
        return this.#binary(expression, scope);
    }
  }

  /** The same number in every lane. */
  literal(value: number, type: Scalar): Value {
    const number = converted(value, type, type);
    const same = Float64Array.of(number);
    return { type: numberType(type), literal: number, run: () => same };
  }

  /** A value of this type: numbers without a suffix take it. Throws InputError if it is of another. */
  as(type: Type, value: Value): Value {
    if (type.kind !== 'vector' || value.type.kind !== 'vector' || type.of === value.type.of) return value;
    const from = value.type.of;
    if (from !== 'int' && from !== 'float') throw new InputError(`expected ${type.of}, found ${from}`);
    return this.cast(value, type.of);
  }

  /** As a constructor such as `u32(x)` makes it. */
  cast(value: Value, to: Scalar): Value {
    const from = scalarOf(value.type);
    const { count } = value.type as Type & { kind: 'vector' };
    if (from === to) return value;
    if (value.literal !== undefined) return this.literal(converted(value.literal, from, to), to);
    return {
      type: { kind: 'vector', of: to, count },
      run: () => value.run().map((number) => converted(number, from, to)),
    };
  }

  /** Throws InputError if nothing can be assigned to it. */
  place(expression: Expression, scope: Scope): Place {
    const place = this.#placeIn(expression, scope);
    if (place) return place;
    const { kind, text } = expression;
    throw new InputError(
      kind === 'name' && !scope.find(expression.name) ? `${text} is not declared` : `${text}: expected a variable`,
    );
  }

  #placeIn(expression: Expression, scope: Scope): Place | undefined {
    switch (expression.kind) {
      case 'name': {
        const found = scope.find(expression.name);
        return found?.kind === 'place' ? found.place : undefined;
      }
      case 'unary':
        return expression.operator === '*' ? this.value(expression.of, scope).pointer : undefined;
      case 'index':
      case 'member': {
        const of = this.#placeIn(expression.of, scope) ?? this.#pointed(expression.of, scope);
        if (!of) return undefined;
        if (expression.kind === 'index') return this.#element(of, this.value(expression.index, scope));
        const field = fieldOf(of.type, expression.name);
        return field && moved(of, field.type, () => field.at);
      }
      default:
        return undefined;
    }
  }

  /** WGSL lets a pointer stand for what it points to before `[` and `.`. */
  #pointed(expression: Expression, scope: Scope): Place | undefined {
    const found = expression.kind === 'name' ? scope.find(expression.name) : undefined;
    return found?.kind === 'pointer' ? found.place : undefined;
  }

  #element(of: Place, index: Value): Place {
    const [type, stride] = elementOf(of.type);
    const { literal } = index;
    if (literal !== undefined) return moved(of, type, () => literal * stride);
    return moved(of, type, () => offsetOf(index.run(), stride));
  }

  #load(place: Place, text: string): Value {
    const { machine } = this;
    const { type } = place;
    const words = wordsOf(type);
    if (place.space === 'function' || place.space === 'private')
      return {
        type,
        changes: true,
        run: () => {
          const { variable, offset } = place.at();
          return variable!.load(machine, offset, words);
        },
      };
    const view = viewOf(scalarIn(type));
    const site = siteOf(place, text, false, words);
    return {
      type,
      run: () => {
        const { memory, offset } = place.at();
        return machine.load(memory!, offset, words, view, site);
      },
    };
  }

  /** `to = value`, or with an operator before the `=`. */
  assignment({ operator, to, value: given }: Statement & { kind: 'assign' }, scope: Scope): () => void {
    const { machine } = this;
    const place = this.place(to, scope);
    const result =
      operator === ''
        ? this.value(given, scope)
        : this.#operation(operator, this.#load(place, to.text), this.value(given, scope), isProduct(given));
    const value = this.as(place.type, result);
    const words = wordsOf(place.type);
    if (place.space === 'function' || place.space === 'private')
      return () => {
        const now = value.run();
        const { factors } = machine;
        const { variable, offset } = place.at();
        if (!machine.onAssign) {
          variable!.store(machine, offset, now, words);
          return;
        }
        const before = variable!.load(machine, offset, words).slice();
        variable!.store(machine, offset, now, words);
        machine.onAssign({
          ...{ text: to.text, operator, offset, words, before, now },
          factors: isProduct(given) ? factors : undefined,
        });
      };
    const view = viewOf(scalarIn(place.type));
    const site = siteOf(place, to.text, true, words);
    return () => {
      const now = value.run();
      const { memory, offset } = place.at();
      machine.store(memory!, offset, now, words, view, site);
    };
  }

  /** An element or some components of what is no variable. */
  #part(expression: Expression & { kind: 'index' | 'member' }, scope: Scope): Value {
    const { machine } = this;
    const of = this.value(expression.of, scope);
    const all = wordsOf(of.type);
    if (expression.kind === 'index') {
      const [type, stride] = elementOf(of.type);
      const words = wordsOf(type);
      const index = this.value(expression.index, scope);
      return {
        type,
        changes: of.changes ?? false,
        run: () => {
          const data = of.run();
          return wordsAt(data, all, offsetOf(index.run(), stride), words, machine.lanes, machine.active);
        },
      };
    }
    const field = fieldOf(of.type, expression.name);
    if (field) {
      const words = wordsOf(field.type);
      return {
        type: field.type,
        changes: of.changes ?? false,
        run: () => wordsAt(of.run(), all, field.at, words, machine.lanes, machine.active),
      };
    }
    const places = [...expression.name].map((letter) => Math.max('xyzw'.indexOf(letter), 'rgba'.indexOf(letter)));
    if (of.type.kind !== 'vector' || places.includes(-1))
      throw new InputError(`${expression.text}: expected a field or components`);
    return {
      type: { kind: 'vector', of: of.type.of, count: places.length },
      run: () => {
        const data = of.run();
        const lanes = data.length === all ? 1 : machine.lanes;
        const out = new Float64Array(places.length * lanes);
        for (const [i, place] of places.entries())
          out.set(data.subarray(place * lanes, (place + 1) * lanes), i * lanes);
        return out;
      },
    };
  }

  #unary({ operator, of, text }: Expression & { kind: 'unary' }, scope: Scope): Value {
    if (operator === '&') {
      const place = this.place(of, scope);
      return { type: pointerTo(place), run: nothing, pointer: place };
    }
    if (operator === '*') return this.#load(this.value(of, scope).pointer ?? this.place(of, scope), text);
    const value = this.value(of, scope);
    const type = scalarOf(value.type);
    const one: Readonly<Record<string, (a: number) => number>> = {
      '-': (a) => (type === 'i32' ? -a | 0 : -a),
      '!': (a) => Number(a === 0),
      '~': (a) => (type === 'u32' ? ~a >>> 0 : ~a),
    };
    const apply = one[operator]!;
    if (value.literal !== undefined) return this.literal(apply(value.literal), type);
    // A change of sign is part of the instruction that uses it.
    return { type: value.type, run: () => value.run().map((a) => apply(a)) };
  }

  #binary({ operator, left, right }: Expression & { kind: 'binary' }, scope: Scope): Value {
    const { machine } = this;
    const a = this.value(left, scope);
    const b = this.value(right, scope);
    if (operator !== '&&' && operator !== '||')
      return this.#operation(operator, a, b, isProduct(left) || isProduct(right));
    // Only the lanes that the left operand does not decide evaluate the right one.
    const decided = Number(operator === '||');
    return {
      type: a.type,
      changes: true,
      run: () => {
        machine.count('integer', 1);
        const first = a.run();
        const all = machine.active;
        machine.narrow(first, decided === 0);
        const second = machine.activeSubgroups > 0 ? b.run() : first;
        machine.activate(all);
        if (first.length === 1) return first[0] === decided ? first : second;
        const step = second.length === 1 ? 0 : 1;
        return first.map((one, lane) => (one === decided ? decided : second[step * lane]!));
      },
    };
  }

  /** `hasProduct`: an operand is a product, so that an addition is one instruction with it. */
  #operation(operator: string, left: Value, right: Value, hasProduct: boolean): Value {
    const { machine } = this;
    const [a, b] = this.unified(left, right);
    const of = scalarOf(a.type);
    const compare = COMPARISONS[operator];
    const apply = compare ?? OPERATORS[of][operator];
    if (!apply) throw new InputError(`${operator} of ${of}: expected an operator that the model knows`);
    const type = compare ? 'bool' : of;
    if (a.literal !== undefined && b.literal !== undefined) return this.literal(apply(a.literal, b.literal), type);
    const counts = [a, b].map((one) => (one.type as Type & { kind: 'vector' }).count);
    const count = Math.max(...counts);
    const isArithmetic = isReal(of) && !compare;
    const kind = !isArithmetic ? 'integer' : operator === '/' || operator === '%' ? 'special' : 'arithmetic';
    const counted = isArithmetic && (operator === '+' || operator === '-') && hasProduct ? 0 : count;
    return {
      type: { kind: 'vector', of: type, count },
      run: () => {
        machine.count(kind, counted);
        const [x, y] = [a.run(), b.run()];
        if (machine.onAssign && operator === '*')
          machine.factors = [x, y].map((value, i) => ({ value, words: counts[i]! }));
        return zipped(apply, x, y, counts[0]!, counts[1]!, machine.lanes);
      },
    };
  }

  /** Two values of one type of number. */
  unified(left: Value, right: Value): readonly [Value, Value] {
    const rank: Readonly<Record<string, number>> = { int: 0, float: 1 };
    const [a, b] = [scalarOf(left.type), scalarOf(right.type)];
    if (a === b) return [left, right];
    if ((rank[a] ?? 2) < (rank[b] ?? 2)) return [this.cast(left, b), right];
    if ((rank[b] ?? 2) < (rank[a] ?? 2)) return [left, this.cast(right, a)];
    throw new InputError(`expected operands of one type, found ${a} and ${b}`);
  }

  #call({ to, args, text }: Expression & { kind: 'call' }, scope: Scope): Value {
    const given = args.map((arg) => this.value(arg, scope));
    if (this.program.functions.has(to.name)) return this.#callOf(this.functionNamed(to.name), given, text);
    const builtin = builtinOf(this, to, given);
    return builtin ?? constructed(this, to, given, text);
  }

  #callOf(to: CompiledFunction, given: readonly Value[], text: string): Value {
    if (given.length !== to.parameters.length)
      throw new InputError(`${text}: expected ${to.parameters.length} arguments, found ${given.length}`);
    const args = given.map((value, i) => this.as(to.parameters[i]!.type, value));
    return {
      type: to.returns ?? NOTHING,
      run: () => {
        // All before the first is bound: an argument may be a call of the same function.
        const now = args.map(({ pointer, changes, run }) => pointer?.at() ?? (changes ? run().slice() : run()));
        for (const [i, { bind }] of to.parameters.entries()) bind(now[i]!);
        return to.call();
      },
    };
  }
}

const nothing = (): Float64Array => new Float64Array(0);

function pointerTo({ type, space }: Place): Type {
  return { kind: 'pointer', to: type, space };
}

function isProduct(expression: Expression): boolean {
  return expression.kind === 'binary' && expression.operator === '*';
}

function siteOf({ space, name = '', type }: Place, text: string, write: boolean, words: number): Site | undefined {
  if (space !== 'storage' && space !== 'workgroup') return undefined;
  const wordBytes = wordBytesOf(type);
  return { text, space, buffer: name, write, wordBytes, bytes: Math.min(16, words * wordBytes) };
}

function moved(of: Place, type: Type, by: () => Offset): Place {
  return {
    ...of,
    type,
    at: () => {
      const located = of.at();
      return { ...located, offset: added(located.offset, by()) };
    },
  };
}
