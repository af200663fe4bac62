/** JSON that is well-formed and wrong: other types, other numbers, odd keys, depths and lengths in the place of what belongs there. */
import type { Random } from './random.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  'a\nb',
  '\u2028',
  '\u001b[31m',
  '\ud800',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '/etc/passwd',
  'NaN',
];

/** Levels of nesting at which recursive code runs out of stack. */
const DEEP = 50_000;
const LONG = 100_000;

/** One to three changes of a JSON text at random places. Falls back to the text itself where it is no JSON. */
export function mutateJson(text: string, random: Random): string {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return text;
  }
  for (let changes = random.below(3); changes >= 0; changes--) value = changed(value, random);
  return write(value);
}

/** A stand-in for text that `JSON.stringify` cannot produce: too deep for it, or no number of JavaScript. */
const RAW = '\u0001raw ';

/** A JSON text of `value`, in which raw pieces stand for themselves. */
function write(value: Json): string {
  return JSON.stringify(value).replace(/"\\u0001raw (\d+) (.*?)"/g, (_, depth: string, inner: string) =>
    Number(depth) === 0 ? inner : '['.repeat(Number(depth)) + inner + ']'.repeat(Number(depth)),
  );
}

function changed(value: Json, random: Random): Json {
  if (Array.isArray(value) && value.length > 0 && !random.oneIn(4)) {
    const at = random.below(value.length);
    if (random.oneIn(8)) return value.toSpliced(at, 1);
    if (random.oneIn(8)) return [...value, value[at]!];
    return value.with(at, changed(value[at]!, random));
  }
  if (isObject(value) && !random.oneIn(6)) {
    const entries = Object.entries(value);
    const [key, inner] = entries.length > 0 ? random.pick(entries) : ['', null];
    const rest = entries.filter(([name]) => name !== key);
    if (random.oneIn(10)) return fromEntries(rest);
    if (random.oneIn(10)) return fromEntries([...rest, [random.pick(ODD_TEXTS), inner]]);
    return fromEntries([...rest, [key, changed(inner, random)]]);
  }
  return odd(value, random);
}

function odd(value: Json, random: Random): Json {
  if (typeof value === 'number' && !random.oneIn(4)) {
    return random.pick([random.hugeNumber(), -value, value + 1, value - 1, value / 2, 0, `${RAW}0 1e999`]);
  }
  return random.pick<() => Json>([
    () => null,
    () => true,
    () => random.hugeNumber(),
    () => random.pick(ODD_TEXTS),
    () => 'x'.repeat(LONG),
    () => [],
    () => ({}),
    () => [value],
    () => ({ toString: 1, valueOf: 1, toJSON: 1, length: -1 }),
    () => Array.from({ length: 100 }, (_, i) => i),
    () => `${RAW}${random.pick([2, 100, DEEP])} 1`,
  ])();
}

/** Unlike `Object.fromEntries`, keeps `__proto__` as a key. */
function fromEntries(entries: readonly (readonly [string, Json])[]): Json {
  const object: Record<string, Json> = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
