/**
 * A restricted unpickler: the stack machine of Python's `pickle`, protocols 2 to 5 (opcodes as described in CPython's
 * Lib/pickletools.py and PEP 307, 3154, 574), that builds plain data and runs no code.
 *
 * In a pickle, GLOBAL can name any function of any module and REDUCE calls it, so loading an untrusted pickle in Python runs
 * untrusted code. Here the host resolves each name to plain data or an inert placeholder, or refuses it. Dictionaries become
 * Maps, so "__proto__" is a key like any other. The work per opcode is bounded by the bytes it consumes, each creates at most
 * one object (the largest, an empty dictionary, takes 200 bytes), and the number of opcodes, and so the size of stack and
 * memo, is limited.
 */
import { InputError } from '../../errors.js';
import {
  OP,
  type PickleGlobal,
  type PickleHost,
  PickleOpaque,
  PickleReader,
  PickleRecord,
  type PickleValue,
} from './pickle-reader.js';
import { quoted } from './quoted.js';

export const MAX_PICKLE_BYTES = 32 * 2 ** 20;
/** A state_dict takes about 30 opcodes per tensor, a TorchScript archive about 100. */
export const MAX_OPCODES = 1_000_000;

/** Unpickles `bytes` and returns the object on top of the stack at STOP. All errors are `InputError`; `what` names the pickle in them. */
export function unpickle(bytes: Uint8Array, host: PickleHost, what: string): PickleValue {
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw new InputError(`${what}: a pickle of ${bytes.length} bytes is over the limit of ${MAX_PICKLE_BYTES}`);
  }
  return new Unpickler(bytes, host, what).run();
}

class Unpickler {
  readonly #in: PickleReader;
  readonly #host: PickleHost;
  /** Values since the last MARK; earlier ones are in `#marks`. */
  #stack: PickleValue[] = [];
  readonly #marks: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, host: PickleHost, what: string) {
    this.#in = new PickleReader(bytes, what);
    this.#host = host;
  }

  run(): PickleValue {
    for (let opcodes = 0; opcodes < MAX_OPCODES; opcodes++) {
      const opcode = this.#in.uint8();
      if (opcode === OP.STOP) return this.#pop();
      const value = this.#value(opcode);
      if (value === undefined) this.#effect(opcode);
      else this.#stack.push(value);
    }
    throw this.#in.error(`is over the limit of ${MAX_OPCODES} opcodes`);
  }

  /** The value that an opcode pushes, or undefined if it pushes none. */
  #value(opcode: number): PickleValue | undefined {
    switch (opcode) {
      case OP.NONE:
        return null;
      case OP.NEWTRUE:
        return true;
      case OP.NEWFALSE:
        return false;
      case OP.BININT:
        return this.#in.int32();
      case OP.BININT1:
        return this.#in.uint8();
      case OP.BININT2:
        return this.#in.uint16();
      case OP.LONG1:
        return this.#in.integer(this.#in.uint8());
      case OP.LONG4:
        return this.#in.integer(this.#in.uint32());
      case OP.BINFLOAT:
        return this.#in.float64();
      case OP.SHORT_BINUNICODE:
      case OP.SHORT_BINSTRING:
        return this.#in.string(this.#in.uint8());
      case OP.BINUNICODE:
      case OP.BINSTRING:
        return this.#in.string(this.#in.uint32());
      case OP.BINUNICODE8:
        return this.#in.string(this.#in.uint64());
      case OP.SHORT_BINBYTES:
        return this.#in.bytes(this.#in.uint8());
      case OP.BINBYTES:
        return this.#in.bytes(this.#in.uint32());
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        return this.#in.bytes(this.#in.uint64());
      case OP.EMPTY_TUPLE:
      case OP.EMPTY_LIST:
        return [];
      case OP.TUPLE1:
        return this.#popMany(1);
      case OP.TUPLE2:
        return this.#popMany(2);
      case OP.TUPLE3:
        return this.#popMany(3);
      case OP.TUPLE:
      case OP.LIST:
        return this.#popToMark();
      case OP.EMPTY_DICT:
        return new Map();
      case OP.DICT:
        return this.#setItems(new Map(), this.#popToMark());
      case OP.EMPTY_SET:
        return new Set();
      case OP.FROZENSET:
        return new Set(this.#popToMark());
      case OP.DUP:
        return this.#top();
      case OP.BINGET:
        return this.#recall(this.#in.uint8());
      case OP.LONG_BINGET:
        return this.#recall(this.#in.uint32());
      case OP.GLOBAL: {
        const module = this.#in.line();
        return this.#global(module, this.#in.line());
      }
      case OP.STACK_GLOBAL: {
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw this.#in.error('names a global without text');
        return this.#global(module, name);
      }
      case OP.REDUCE: {
        const [callable, args] = this.#popMany(2);
        return this.#call(callable, args);
      }
      case OP.NEWOBJ: {
        const [type, args = null] = this.#popMany(2);
        return this.#create(type, args);
      }
      case OP.NEWOBJ_EX: {
        const [type, ...args] = this.#popMany(3);
        return this.#create(type, args);
      }
      case OP.BINPERSID: {
        const value = this.#host.persistentLoad(this.#pop());
        if (value === undefined) throw this.#in.error('refers to an object outside it that is not a tensor storage');
        return value;
      }
      default:
        return undefined;
    }
  }

  /** The opcodes that change the stack, the memo or the object on top. */
  #effect(opcode: number): void {
    switch (opcode) {
      case OP.PROTO: {
        const protocol = this.#in.uint8();
        if (protocol < 2 || protocol > 5) throw this.#in.error(`is in protocol ${protocol}; 2 to 5 are supported`);
        return;
      }
      case OP.FRAME:
        this.#in.skip(8);
        return;
      case OP.MARK:
        this.#marks.push(this.#stack);
        this.#stack = [];
        return;
      case OP.APPEND: {
        const item = this.#pop();
        this.#appendItems(this.#top(), [item]);
        return;
      }
      case OP.APPENDS: {
        const items = this.#popToMark();
        this.#appendItems(this.#top(), items);
        return;
      }
      case OP.SETITEM: {
        const items = this.#popMany(2);
        this.#setItems(this.#top(), items);
        return;
      }
      case OP.SETITEMS: {
        const items = this.#popToMark();
        this.#setItems(this.#top(), items);
        return;
      }
      case OP.ADDITEMS: {
        const items = this.#popToMark();
        const set = this.#top();
        if (set instanceof Set) for (const item of items) set.add(item);
        else if (set instanceof PickleOpaque) this.#appendItems(set, items);
        else throw this.#in.error('adds items to something that is not a set');
        return;
      }
      case OP.POP:
        // At a MARK, POP drops the mark itself.
        if (this.#stack.length === 0) this.#popToMark();
        else this.#pop();
        return;
      case OP.POP_MARK:
        this.#popToMark();
        return;
      case OP.BINPUT:
        this.#remember(this.#in.uint8());
        return;
      case OP.LONG_BINPUT:
        this.#remember(this.#in.uint32());
        return;
      case OP.MEMOIZE:
        this.#remember(this.#memo.size);
        return;
      case OP.BUILD: {
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof PickleRecord) target.state = state;
        else if (target instanceof PickleOpaque) target.parts.push(state);
        // Attributes set on a container, e.g. the `_metadata` of a state_dict, carry nothing that we need.
        else if (!(target instanceof Map)) throw this.#in.error('sets attributes on something that is not an object');
        return;
      }
      default:
        throw this.#in.error(
          `has opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${this.#in.position - 1}, which is not supported`,
        );
    }
  }

  #global(module: string, name: string): PickleGlobal {
    const global = this.#host.findGlobal(module, name);
    if (!global) {
      throw this.#in.error(`refers to ${quoted(`${module}.${name}`)}, which no weights need: refused, nothing was run`);
    }
    return global;
  }

  #call(callable: PickleValue | undefined, args: PickleValue = null): PickleValue {
    if (callable instanceof PickleOpaque) return new PickleOpaque(callable.madeBy, callable, args);
    const global = this.#asGlobal(callable);
    if (!global.call)
      throw this.#in.error(`calls ${quoted(global.fullName)}, which no weights need: refused, nothing was run`);
    if (args instanceof PickleOpaque) return new PickleOpaque(global.fullName, args);
    if (!Array.isArray(args))
      throw this.#in.error(`calls ${quoted(global.fullName)} with something that is not a tuple`);
    return global.call(args);
  }

  #create(type: PickleValue | undefined, args: PickleValue): PickleValue {
    if (type instanceof PickleOpaque) return new PickleOpaque(type.madeBy, type, args);
    const global = this.#asGlobal(type);
    if (!global.create)
      throw this.#in.error(`makes an instance of ${quoted(global.fullName)}: refused, nothing was run`);
    return global.create(args);
  }

  #asGlobal(value: PickleValue | undefined): PickleGlobal {
    if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'global') return value;
    throw this.#in.error('calls something that is not a function');
  }

  #appendItems(list: PickleValue, items: readonly PickleValue[]): void {
    const to = list instanceof PickleOpaque ? list.parts : list;
    if (!Array.isArray(to)) throw this.#in.error('appends to something that is not a list');
    for (const item of items) to.push(item);
  }

  #setItems(map: PickleValue, items: readonly PickleValue[]): PickleValue {
    if (map instanceof PickleOpaque) {
      this.#appendItems(map, items);
      return map;
    }
    if (!(map instanceof Map)) throw this.#in.error('sets items of something that is not a dictionary');
    if (items.length % 2 !== 0) throw this.#in.error('sets a key without a value');
    for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
    return map;
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#in.error(`recalls memo ${index}, which was never set`);
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#in.error(`runs out of stack at byte ${this.#in.position - 1}`);
    return value;
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.#in.error(`runs out of stack at byte ${this.#in.position - 1}`);
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#in.error(`runs out of stack at byte ${this.#in.position - 1}`);
    return this.#stack.splice(this.#stack.length - count, count);
  }

  #popToMark(): PickleValue[] {
    const below = this.#marks.pop();
    if (!below) throw this.#in.error(`has no mark to go back to at byte ${this.#in.position - 1}`);
    const items = this.#stack;
    this.#stack = below;
    return items;
  }
}
