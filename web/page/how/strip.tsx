/** The first numbers of a vector as shaded bars, so that vectors can be told apart at a glance. For the eye: what it says stands in words beside it. */
export interface StripProps {
  readonly vector: Float32Array;
  /** How many numbers to draw. */
  readonly count: number;
  /** The number that is shaded fully. */
  readonly largest: number;
}

export function Strip({ vector, count, largest }: StripProps) {
  const shown = Math.min(count, vector.length);
  return (
    <svg class="strip" viewBox={`0 0 ${shown} 1`} preserveAspectRatio="none" aria-hidden="true">
      {Array.from(vector.subarray(0, shown), (value, d) => (
        <rect
          key={d}
          x={d}
          width={1.02}
          height={1}
          class={value < 0 ? 'below' : 'above'}
          fill-opacity={Math.min(1, Math.abs(value) / largest).toFixed(2)}
        />
      ))}
    </svg>
  );
}

/** The largest magnitude among some vectors' first numbers. */
export function largestOf(vectors: readonly Float32Array[], count: number): number {
  let largest = 1e-9;
  for (const vector of vectors)
    for (const value of vector.subarray(0, count)) largest = Math.max(largest, Math.abs(value));
  return largest;
}
