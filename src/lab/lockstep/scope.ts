/** Names and what they stand for, from the innermost block outwards. */
import type { SharedMemory } from './machine.js';
import type { Type } from './types.js';
import type { Offset, OwnVariable } from './values.js';

/** What an expression is worth. */
export interface Value {
  readonly type: Type;
  /** All lanes' words, or those that all lanes have; of lanes that are not active, anything. Not to be written to. */
  run(): Float64Array;
  /** The number in every lane, if it is known before. */
  readonly literal?: number | undefined;
  /** What `run` returns is a variable's own memory: it changes when that is assigned to. */
  readonly changes?: boolean;
  /** Of a pointer: what it points to. */
  readonly pointer?: Place;
}

/** What can be assigned to. */
export interface Place {
  readonly type: Type;
  /** `function` for variables of each lane's own. */
  readonly space: string;
  /** Of the buffer. */
  readonly name?: string;
  at(): Located;
}

/** A place while it runs: words from `offset` on, one for all lanes or one of each. */
export interface Located {
  readonly memory?: SharedMemory;
  readonly variable?: OwnVariable;
  readonly offset: Offset;
}

export type Binding =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'place' | 'pointer'; readonly place: Place };

export class Scope {
  readonly #own = new Map<string, Binding>();

  /** `unknown` is asked for a name when it is first used: a text's own declarations may stand in any order. */
  constructor(
    private readonly outer?: Scope,
    private readonly unknown?: (name: string) => Binding | undefined,
  ) {}

  find(name: string): Binding | undefined {
    const known = this.#own.get(name) ?? this.outer?.find(name);
    if (known || !this.unknown) return known;
    const found = this.unknown(name);
    if (found) this.#own.set(name, found);
    return found;
  }

  define(name: string, binding: Binding): void {
    this.#own.set(name, binding);
  }

  /** Defines a function's parameter; what is returned gives it a value for a call. */
  parameter(name: string, type: Type): (given: Float64Array | Located) => void {
    if (type.kind === 'pointer') {
      let located: Located = { offset: 0 };
      this.define(name, { kind: 'pointer', place: { type: type.to, space: type.space, at: () => located } });
      return (given) => {
        located = given as Located;
      };
    }
    let held: Float64Array = new Float64Array(0);
    this.define(name, { kind: 'value', value: { type, run: () => held } });
    return (given) => {
      held = given as Float64Array;
    };
  }
}
