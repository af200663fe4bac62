/** What a variant needs of a call's arguments, written as people read it: `n % 8 == 0, k >= 8, transposeA == 0`. */
import type { AnyArgs, Variant } from './definition.js';

/** A condition on a call's arguments. */
export interface Need {
  readonly text: string;
  /** Whether a call with these arguments meets it. */
  holds(args: Readonly<Record<string, unknown>>): boolean;
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

/** The conditions in a text; a string that says what is wrong where it is not one. */
export function parseNeeds(text: string): readonly Need[] | string {
  const needs: Need[] = [];
  for (const part of text.split(',')) {
    const [, name, divisor, comparison, right] =
      /^\s*(\w+)(?:\s*%\s*([1-9]\d*))?\s*(==|<=|>=)\s*(\d+)\s*$/.exec(part) ?? [];
    if (name === undefined) return `expected a need such as "n % 8 == 0" or "k >= 8", found "${part.trim()}"`;
    needs.push({
      text: part.trim(),
      holds(args) {
        // An option that is not given is off.
        const value = Number(args[name] ?? 0);
        return COMPARISONS[comparison!]!(divisor === undefined ? value : value % Number(divisor), Number(right));
      },
    });
  }
  return needs;
}

const parsed = new Map<string, readonly Need[]>();

/** The first need of a variant that a call does not meet, `subgroupSize` being the adapter's smallest, 0 without subgroups. Throws Error for a malformed one. */
export function unmetNeed({ needs: text }: Variant, args: AnyArgs, subgroupSize: number): string | undefined {
  if (text === undefined) return undefined;
  let needs = parsed.get(text);
  if (!needs) {
    const found = parseNeeds(text);
    if (typeof found === 'string') throw new Error(found);
    needs = found;
    parsed.set(text, needs);
  }
  // Without a copy of the arguments: this is asked for every call.
  return needs.find((need) => !need.holds(need.text.startsWith('subgroupSize') ? { subgroupSize } : args))?.text;
}
