/** Shapes as operands declare them (see `Operand.shape`): parsed once, and matched with numbers. */
import type { Operand, Sizes } from './definition.js';

/** One axis of a pattern: a product of names and numbers. */
export interface AxisPattern {
  /** As it is written. */
  readonly text: string;
  readonly names: readonly string[];
  /** The product of its numbers. */
  readonly factor: number;
}

/** A pattern, and whether its first axis may be several of a tensor's. */
export interface ShapePattern {
  readonly axes: readonly AxisPattern[];
  readonly spread: boolean;
}

const parsed = new Map<string, ShapePattern>();

/** Parses a pattern such as `...rows columns`. */
function shapePattern(text: string): ShapePattern {
  const known = parsed.get(text);
  if (known) return known;
  const spread = text.startsWith('...');
  const axes = text
    .slice(spread ? 3 : 0)
    .split(' ')
    .map((axis): AxisPattern => {
      const parts = axis.split('*');
      const names = parts.filter((part) => !/^\d+$/.test(part));
      const factor = parts.reduce((product, part) => product * (/^\d+$/.test(part) ? Number(part) : 1), 1);
      return { text: axis, names, factor };
    });
  const pattern = { axes, spread };
  parsed.set(text, pattern);
  return pattern;
}

/** An operand's pattern in the order in which its axes are stored, given the options. */
export function storedPattern({ shape, swappedBy }: Operand, options: Readonly<Record<string, unknown>>): ShapePattern {
  const pattern = shapePattern(shape);
  if (swappedBy === undefined || !options[swappedBy]) return pattern;
  return { ...pattern, axes: [...pattern.axes].reverse() };
}

/** The length of an axis; undefined if one of its names has none. */
export function lengthOf(
  { names, factor }: AxisPattern,
  lengths: Readonly<Record<string, number | undefined>>,
): number | undefined {
  let product = factor;
  for (const name of names) {
    const length = lengths[name];
    if (length === undefined) return undefined;
    product *= length;
  }
  return product;
}

/** The shape of a pattern. Throws Error if it has an axis of unknown length. */
export function shapeOf(where: string, pattern: ShapePattern, lengths: Sizes): number[] {
  return pattern.axes.map((axis) => {
    const length = lengthOf(axis, lengths);
    if (length === undefined) throw new Error(`${where}: the length of axis ${axis.text} is not given`);
    return length;
  });
}
