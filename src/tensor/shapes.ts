/** Shape patterns of operations, checked before a kernel runs: kernels do not check sizes. */
import type { Tensor } from './tensor.js';

/** The axes that a pattern names. */
type Axes<Pattern extends string> = Pattern extends `${infer First} ${infer Rest}`
  ? Axes<First> | Axes<Rest>
  : Exclude<Pattern, '...' | `${number}`>;

/**
 * Checks tensors against patterns such as `{ x: [x, '... k'], weight: [weight, 'n k'] }` and returns the lengths of the axes named in them.
 * A name has the same length in all patterns, and its length in `known` if it has one there; `...` matches any leading axes, the same
 * in all patterns; a number matches itself. Absent tensors are skipped.
 * Throws Error if one does not match, such as "linear: expected weight [n, 5], found [4, 6]".
 */
export function checkedAxes<const Pattern extends string>(
  operation: string,
  tensors: Readonly<Record<string, readonly [Tensor | undefined, Pattern]>>,
  known: Readonly<Record<string, number>> = {},
): Record<Axes<Pattern>, number> {
  const lengths = new Map(Object.entries(known));
  let front: readonly number[] | undefined;
  for (const [name, [tensor, pattern]] of Object.entries(tensors)) {
    if (!tensor) continue;
    const { shape } = tensor;
    const before = new Map(lengths);
    const axes = pattern.split(' ').filter((axis) => axis !== '...');
    const free = shape.length - axes.length;
    let fits = free >= 0;
    if (pattern.startsWith('...')) {
      front ??= shape.slice(0, Math.max(0, free));
      fits &&= free === front.length && front.every((length, i) => shape[i] === length);
    } else fits &&= free === 0;
    const expected = axes.map((axis, i) => {
      const wanted = /^\d/.test(axis) ? Number(axis) : lengths.get(axis);
      const found = shape[free + i];
      if (wanted === undefined && found !== undefined) lengths.set(axis, found);
      if (wanted !== undefined && wanted !== found) fits = false;
      return before.get(axis) ?? axis;
    });
    if (fits) continue;
    const whole = pattern.startsWith('...') ? [...(front?.length ? front : ['...']), ...expected] : expected;
    throw new Error(`${operation}: expected ${name} [${whole.join(', ')}], found [${shape.join(', ')}]`);
  }
  return Object.fromEntries(lengths) as Record<Axes<Pattern>, number>;
}

/** Throws Error if the tensor has another shape, such as "addScaled: expected y [2, 3], found [3, 2]". */
export function requireShape(operation: string, name: string, tensor: Tensor, shape: readonly number[]): void {
  const { shape: found } = tensor;
  if (found.length === shape.length && found.every((length, i) => length === shape[i])) return;
  throw new Error(`${operation}: expected ${name} [${shape.join(', ')}], found [${found.join(', ')}]`);
}
