/** The measurements in docs/kernels/figures.json, which measure.mjs writes, and how they are printed. */

/** One implementation's times of a call, in milliseconds. */
export interface Time {
  readonly name: string;
  readonly milliseconds: number;
  readonly quartiles: readonly [low: number, high: number];
}

/** One shape, and all implementations on it in turns. */
export interface Result {
  readonly shape: string;
  readonly flops: number;
  readonly bytes: number;
  readonly times: readonly Time[];
}

/** What was measured in one go. */
export interface Part {
  /** Of the day, as 2026-11-24. */
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly device: string;
  readonly ceilings: { readonly gflops: number; readonly gbytes: number };
  /** By kernel, or by ladder. */
  readonly results: Readonly<Record<string, Result>>;
}

/** All of the file. */
export interface Figures {
  readonly webgpu: Part;
  readonly cpu: Part;
  readonly ladders: Part;
}

/** `3.62 GFLOP, 21.9 MB`; kernels that do little else than move numbers have no FLOPs to count. */
export function workText({ flops, bytes }: Pick<Result, 'flops' | 'bytes'>): string {
  return [flops > 0 ? scaled(flops, 'FLOP') : '', scaled(bytes, 'B')].filter(Boolean).join(', ');
}

/** Heads of the cells below. Kernels that do little else than move numbers have no GFLOP/s. */
export function timeHeads({ flops }: Result): string[] {
  return ['median (ms)', 'quartiles (ms)', ...(flops > 0 ? ['GFLOP/s'] : []), 'GB/s', 'of ceiling'];
}

/** Cells of one time: milliseconds, quartiles, GFLOP/s, GB/s, share of the nearer ceiling. */
export function timeCells({ flops, bytes }: Result, { milliseconds, quartiles }: Time, { ceilings }: Part): string[] {
  const gflops = flops / milliseconds / 1e6;
  const gbytes = bytes / milliseconds / 1e6;
  // As `ptdpc lab run` does.
  const share = Math.max(gflops / ceilings.gflops, gbytes / ceilings.gbytes);
  return [
    digits(milliseconds),
    quartiles.map(digits).join(' - '),
    ...(flops > 0 ? [digits(gflops)] : []),
    digits(gbytes),
    `${(100 * share).toPrecision(2)} %`,
  ];
}

/** The machine and the ceilings behind a table, in one line of small print. */
export function measuredOn(...parts: readonly Part[]): string {
  const [{ machine, node }] = parts as [Part];
  const devices = parts.map(
    ({ device, ceilings, date }) =>
      `${device.trim()}, ceilings ${digits(ceilings.gflops)} GFLOP/s and copying ${digits(ceilings.gbytes)} GB/s (${date})`,
  );
  return `Measured on ${machine}, Node ${node}: ${devices.join('; ')}.`;
}

/** A Markdown table; the first column stands to the left, all others on the given side. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  side: 'left' | 'right' = 'right',
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 || side === 'left' ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Three significant digits, never with an exponent. */
export function digits(value: number): string {
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toPrecision(3)).toFixed(Math.min(places, 6));
}

/** With the prefix that suits its size. */
export function scaled(value: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G'];
  let power = 0;
  let rest = value;
  while (rest >= 1000 && power < prefixes.length - 1) {
    rest /= 1000;
    power++;
  }
  return `${digits(rest)} ${prefixes[power]}${unit}`;
}
