/** What a variant needs of a call's arguments, written as people read it: `n % 8 == 0, k >= 8, transposeA == 0`. */
import type { AnyArgs, Variant } from './definition.js';

/** A condition on a call's arguments. */
export interface Need {
  readonly text: string;
  /** Whether a call with these arguments meets it. */
  holds(numberOf: (name: string) => number): boolean;
}

/** What needs can say of an adapter. */
export interface AdapterFacts {
  /** Fewest lanes of a subgroup; 0 without subgroups. */
  readonly subgroupSize: number;
  /** WebGPU's names of what it offers. */
  readonly features: readonly string[];
  /** Square matrices that a subgroup multiplies into single precision, such as `f16x16`: the operands' type and the side. */
  readonly matrices?: readonly string[];
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
      holds(numberOf) {
        const value = numberOf(name);
        return COMPARISONS[comparison!]!(divisor === undefined ? value : value % Number(divisor), Number(right));
      },
    });
  }
  return needs;
}

const parsed = new Map<string, readonly Need[]>();

/**
 * The first need of a variant that a call does not meet. Needs name numbers of the call, `halfB` (whether operand b is in half precision), and of the
 * adapter `subgroupSize`, `shaderF16`, and `matrixF16x16` (whether it has matrices of that type and side). Throws Error for a malformed one.
 */
export function unmetNeed({ needs: text }: Variant, args: AnyArgs, adapter: AdapterFacts): string | undefined {
  if (text === undefined) return undefined;
  let needs = parsed.get(text);
  if (!needs) {
    const found = parseNeeds(text);
    if (typeof found === 'string') throw new Error(found);
    needs = found;
    parsed.set(text, needs);
  }
  const numberOf = (name: string): number => {
    if (name === 'subgroupSize') return adapter.subgroupSize;
    if (name === 'shaderF16') return Number(adapter.features.includes('shader-f16'));
    const matrix = /^matrixF(\d+x\d+)$/.exec(name)?.[1];
    if (matrix !== undefined) return Number(adapter.matrices?.includes(`f${matrix}`) ?? false);
    const half = /^half([A-Z]\w*)$/.exec(name)?.[1];
    if (half !== undefined) return Number(isHalf(args[half[0]!.toLowerCase() + half.slice(1)]));
    // An option that is not given is off.
    return Number(args[name] ?? 0);
  };
  return needs.find((need) => !need.holds(numberOf))?.text;
}

function isHalf(operand: AnyArgs[string]): boolean {
  return typeof operand === 'object' && operand.dtype === 'f16';
}
