/** Typed access to the fields of a JSON object from a file, with errors that name the field. */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';

/** A JSON object with typed getters, which throw InputError naming the field if it has another type. */
export class JsonFields {
  readonly #object: Readonly<Record<string, unknown>>;
  /** Location of the object for errors, e.g. `model/config.json: text_config`. */
  readonly #what: string;

  private constructor(object: Record<string, unknown>, what: string) {
    this.#object = object;
    this.#what = what;
  }

  /** Parses `text`, which must be a JSON object. `what` names it in errors. */
  static parse(text: string, what: string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new InputError(`${what}: not valid JSON`);
    }
    if (!isObject(value)) throw new InputError(`${what}: expected a JSON object, found ${quoted(value)}`);
    return new JsonFields(value, what);
  }

  /** The names of all fields. */
  keys(): string[] {
    return Object.keys(this.#object);
  }

  /** The value of `key`; undefined if it is absent or null. */
  value(key: string): unknown {
    return this.#get(key);
  }

  /** The array of numbers under `key`, or undefined if there is none. */
  numbers(key: string): number[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value;
    throw this.wrong(key, 'numbers', value);
  }

  /** The object under `key`; undefined if it is absent or null. */
  object(key: string): JsonFields | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.wrong(key, 'an object', value);
    return new JsonFields(value, `${this.#what}: ${key}`);
  }

  /** The number under `key`, or `fallback` if there is none. */
  number(key: string, fallback: number): number {
    const value = this.#get(key) ?? fallback;
    if (typeof value !== 'number') throw this.wrong(key, 'a number', value);
    return value;
  }

  /** The boolean under `key`, or `fallback` if there is none. */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.#get(key) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false', value);
    return value;
  }

  /** The string under `key`, or `fallback` if there is none. */
  text(key: string, fallback: string): string {
    const value = this.#get(key) ?? fallback;
    if (typeof value !== 'string') throw this.wrong(key, 'text', value);
    return value;
  }

  /** Treats null as absent, as does the Python code that writes these files. */
  #get(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  /** An error naming the expected value of `key`. */
  wrong(key: string, expected: string, value = this.value(key)): InputError {
    return new InputError(`${this.#what}: ${key} should be ${expected}, found ${quoted(value)}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
