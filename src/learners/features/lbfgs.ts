/** L-BFGS with a line search by the strong Wolfe conditions (Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 7.4, 3.5 and 3.6). */

/** A value and its gradient at a point. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface LbfgsOptions {
  readonly iterations: number;
  /** Ends once no number of the gradient is larger. */
  readonly tolerance: number;
  /** Ends once a step makes the value smaller by less than this share of it, or of 1 if it is smaller. */
  readonly progress: number;
  /** Pairs that are remembered. Default 10. */
  readonly memory?: number;
}

/** The end of a minimisation. */
export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False: the iterations were used up, or no further step was found that makes the value smaller. */
  readonly converged: boolean;
}

/** What is kept of a step: the change of the point and of the gradient. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

interface Point extends Evaluated {
  readonly length: number;
  readonly slope: number;
  readonly at: Float64Array;
}

/** Minimises a smooth function from `start` on. */
export async function lbfgs(
  evaluate: (at: Float64Array) => Promise<Evaluated>,
  start: Float64Array,
  { iterations, tolerance, progress, memory = 10 }: LbfgsOptions,
): Promise<Minimum> {
  const pairs: Pair[] = [];
  let at = start;
  let now = await evaluate(at);
  let restarted = false;
  for (let iteration = 0; iteration < iterations; iteration++) {
    if (largest(now.gradient) <= tolerance) return { at, value: now.value, iterations: iteration, converged: true };
    const direction = descentDirection(now.gradient, pairs);
    // The first direction has no scale yet.
    const first = pairs.length === 0 ? Math.min(1, 1 / sumOf(now.gradient, Math.abs)) : 1;
    const next = await lineSearch(evaluate, at, now, direction, first);
    if (!next) {
      // The remembered curvature may be stale: once more along the gradient.
      if (pairs.length > 0 && !restarted) {
        pairs.length = 0;
        restarted = true;
        continue;
      }
      return { at, value: now.value, iterations: iteration, converged: false };
    }
    const step = combined(next.at, at, -1);
    const change = combined(next.gradient, now.gradient, -1);
    const curvature = dot(step, change);
    if (curvature > 0) pairs.push({ step, change, curvature });
    if (pairs.length > memory) pairs.shift();
    const gain = (now.value - next.value) / Math.max(1, Math.abs(now.value));
    at = next.at;
    now = next;
    if (gain < progress) return { at, value: now.value, iterations: iteration + 1, converged: true };
  }
  return { at, value: now.value, iterations, converged: largest(now.gradient) <= tolerance };
}

/** -H gradient, H the inverse Hessian that the pairs imply. */
function descentDirection(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let direction: Float64Array = gradient.map((x) => -x);
  const shares: number[] = [];
  for (const { step, change, curvature } of pairs.toReversed()) {
    const share = dot(step, direction) / curvature;
    shares.unshift(share);
    direction = combined(direction, change, -share);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.change, last.change);
    direction = direction.map((x) => x * scale);
  }
  pairs.forEach(({ step, change, curvature }, i) => {
    direction = combined(direction, step, shares[i]! - dot(change, direction) / curvature);
  });
  return direction;
}

const [SUFFICIENT, CURVATURE, MOST_TRIES] = [1e-4, 0.9, 20];

/** A point along the direction that satisfies the strong Wolfe conditions; undefined if none is found. */
async function lineSearch(
  evaluate: (at: Float64Array) => Promise<Evaluated>,
  origin: Float64Array,
  start: Evaluated,
  direction: Float64Array,
  first: number,
): Promise<Point | undefined> {
  const slope = dot(start.gradient, direction);
  if (!(slope < 0)) return undefined;
  const pointAt = async (length: number): Promise<Point> => {
    const at = combined(origin, direction, length);
    const found = await evaluate(at);
    return { ...found, at, length, slope: dot(found.gradient, direction) };
  };
  const tooHigh = (point: Point) => !(point.value <= start.value + SUFFICIENT * point.length * slope);
  const flat = (point: Point) => Math.abs(point.slope) <= -CURVATURE * slope;
  let low: Point = { ...start, at: origin, length: 0, slope };
  let high: Point | undefined;
  let length = first;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const point = await pointAt(length);
    if (tooHigh(point) || (low.length > 0 && point.value >= low.value)) high = point;
    else if (flat(point)) return point;
    else {
      if (high ? point.slope * (high.length - low.length) >= 0 : point.slope >= 0) high = low;
      low = point;
    }
    length = high ? between(low, high) : 2 * length;
  }
  return low.length > 0 ? low : undefined;
}

/** Where the parabola through the value and slope at `low` and the value at `high` is least, away from both ends. */
function between(low: Point, high: Point): number {
  const width = high.length - low.length;
  const bend = 2 * (high.value - low.value - low.slope * width);
  const share = Number.isFinite(bend) && bend > 0 ? (-low.slope * width) / bend : 0.5;
  return low.length + width * Math.min(0.9, Math.max(0.1, share));
}

/** a + scale b. */
function combined(a: Float64Array, b: Float64Array, scale: number): Float64Array {
  return a.map((x, i) => x + scale * b[i]!);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

function sumOf(values: Float64Array, of: (x: number) => number): number {
  return values.reduce((sum, x) => sum + of(x), 0);
}

function largest(values: Float64Array): number {
  return values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}
