/**
 * What a pickle turns into here, and the host that decides which names it may use. Lists and tuples are arrays,
 * dictionaries Maps, text strings; classes and functions are names; instances are inert records.
 */

/** A Python class or function, stood for by its name and by what, if anything, calling or instantiating it makes. */
export interface PickleGlobal {
  readonly kind: 'global';
  /** Dotted, as in `torch._utils._rebuild_tensor_v2`. */
  readonly fullName: string;
  /** What REDUCE yields; absent if a call is refused. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
  /** What NEWOBJ yields; absent if an instance is refused. */
  readonly create?: (args: PickleValue) => PickleValue;
}

/** An instance of a class that we know only by name: its pickled state, inert. */
export class PickleRecord {
  state: PickleValue = null;
  constructor(readonly className: string) {}
}

/**
 * What an unknown class or function would have made: nothing was run, and it stands for that. `parts` holds all that it was given, so that
 * one can tell whether tensors are among it.
 */
export class PickleOpaque {
  readonly kind = 'opaque';
  readonly parts: PickleValue[];

  constructor(
    /** Dotted name of the class or function. */
    readonly madeBy: string,
    ...parts: PickleValue[]
  ) {
    this.parts = parts;
  }
}

/** Base of the values that a host makes in `call` or `persistentLoad`. */
export abstract class PickleHostValue {
  readonly kind = 'host';
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Set<PickleValue>
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleRecord
  | PickleOpaque
  | PickleHostValue;

/** What the pickle may refer to. Both throw `InputError`, or return undefined, for what they do not know. */
export interface PickleHost {
  findGlobal(module: string, name: string): PickleGlobal | undefined;
  persistentLoad(id: PickleValue): PickleValue | undefined;
}
