/** What `ptdpc lab run` prints. */
import { counted } from '../../errors.js';
import type { Compilation } from '../../kernels/webgpu/programs.js';
import {
  type Comparison,
  type ContestantTime,
  type DeviceCeilings,
  type Duel,
  type JudgedCase,
  type Parity,
  saysLittle,
  shareOfCeiling,
  suiteSize,
  type Timings,
  type Trial,
  unsteady,
  type VariantTime,
  type WorstElement,
} from '../../lab/index.js';
import { print, printLines } from '../output.js';
import { percent, table } from '../tables.js';

/** Wrong cases shown at most. */
const CASES_SHOWN = 5;

export function printTrial(
  file: string,
  text: string,
  name: string,
  { compilation, parity, judged, timings, notTimed }: Trial,
  ceilings: DeviceCeilings,
): void {
  printCompilation(file, text, compilation);
  if (!parity) return;
  printParity(file, parity);
  if (judged) printJudged(name, judged);
  if (timings) {
    printTimings(name, timings, ceilings);
    if (timings.duel) printDuel(file, timings.duel);
  } else print(`not timed: ${notTimed}`);
}

/** What is wrong on the case that is timed, or that nothing could tell. */
export function printJudged(name: string, { reference, known, wrong }: JudgedCase): void {
  if (!known) print(`caution: ${name} is not judged: ${reference}`);
  for (const { name: variant, comparison, later } of wrong) {
    const against = later ? 'after many calls, held against its first' : `held against ${reference}`;
    print(`${variant}: WRONG on ${name}, ${against}`, 'red');
    print(`  ${difference(comparison)}`);
  }
}

/** `mine.wgsl: faster than tiled: 1.14 times as fast, 95 % sure of 1.10 to 1.19 (15 pairs of turns)`. */
function printDuel(file: string, { rival, verdict, ratio, interval, confidence, pairs }: Duel): void {
  const turns = `${counted(pairs, 'pair')} of turns`;
  const sure = interval
    ? `${percent(confidence)} sure of ${interval.map((end) => end.toFixed(2)).join(' to ')} (${turns})`
    : `but ${turns} are too few to tell`;
  const than = verdict === 'not distinguishable' ? 'from' : 'than';
  print(`${file}: ${verdict} ${than} ${rival}: ${ratio.toFixed(2)} times as fast, ${sure}`);
}

/** The compiler's messages, each with the user's line. */
export function printCompilation(file: string, text: string, { messages }: Compilation): void {
  const lines = text.split('\n');
  for (const { type, line, column, text: message } of messages) {
    print(`${file}${line > 0 ? `:${line}:${column}` : ''}: ${type}: ${message.trim()}`);
    if (line > 0) {
      print(`  ${(lines[line - 1] ?? '').replaceAll('\t', ' ')}`);
      print(`  ${' '.repeat(Math.max(0, column - 1))}^`);
    }
  }
}

export function printParity(file: string, parity: Parity): void {
  const { cases, wrong, unstable, leftOut, error, tolerance } = parity;
  if (wrong.length > 0) {
    print(`${file}: WRONG on ${wrong.length} of ${counted(cases, 'case')}`, 'red');
    for (const { name, comparison } of wrong.slice(0, CASES_SHOWN)) print(`  ${name}: ${difference(comparison)}`);
    if (wrong.length > CASES_SHOWN) print(`  and ${wrong.length - CASES_SHOWN} more`);
  } else if (unstable.length > 0) {
    print(
      `${file}: UNSTABLE on ${unstable.length} of ${counted(cases, 'case')}: other results on a second run (a race?)`,
    );
    for (const name of unstable.slice(0, CASES_SHOWN)) print(`  ${name}`);
  } else {
    const little = saysLittle(parity) ? ` of ${suiteSize(parity)}, which says little` : '';
    print(
      `${file}: right on ${counted(cases, 'case')}${little}, largest error ${exponent(error)} (tolerance ${exponent(tolerance)})`,
      little ? undefined : 'green',
    );
  }
  for (const [reason, number] of leftOut) print(`  ${counted(number, 'case')} left out: ${reason}`);
}

/** `out[3, 12] is 0.31, expected 0.42; 90 of 91 elements off, by up to 0.26 of the largest`. */
function difference({ worst, wrong, elements, overrun, error }: Comparison): string {
  const size = Number.isNaN(error)
    ? 'some were never written, or are NaN'
    : `by up to ${exponent(error)} of the largest`;
  const off = wrong - overrun;
  return [
    overrun > 0 ? `${counted(overrun, 'number')} written past the end of its outputs` : '',
    off > 0 && worst ? `${element(worst)}; ${off} of ${counted(elements, 'element')} off, ${size}` : '',
  ]
    .filter(Boolean)
    .join('; ');
}

function element({ output, index, expected, found }: WorstElement): string {
  return `${output}[${index.join(', ')}] is ${found}, expected ${expected}`;
}

export function printTimings(
  name: string,
  { cost, times, clock }: Omit<Timings, 'times'> & { times: readonly (ContestantTime & Partial<VariantTime>)[] },
  ceilings: DeviceCeilings,
): void {
  const work = [cost.flops > 0 ? `${threeDigits(cost.flops / 1e9)} GFLOP` : '', `${threeDigits(cost.bytes / 1e6)} MB`];
  print(`${name}: ${work.filter(Boolean).join(', ')}`);
  printLines(
    table([
      ['variant', 'compile (ms)', 'median (ms)', 'quartiles (ms)', 'GFLOP/s', 'GB/s', 'of ceiling', 'differs by'],
      ...times.map(({ name: variant, seconds, quartiles, gflops, gbytes, compileSeconds, difference: off }) => [
        variant,
        compileSeconds === undefined ? '' : milliseconds(compileSeconds),
        milliseconds(seconds),
        quartiles.map(milliseconds).join(' - '),
        cost.flops > 0 ? gflops.toFixed(1) : '',
        gbytes.toFixed(2),
        percent(shareOfCeiling({ gflops, gbytes }, ceilings)),
        off === undefined ? '' : exponent(off),
      ]),
    ]),
  );
  const by = clock === 'device' ? "the device's own clock" : "the host's clock, which counts queueing a call too";
  print(`times by ${by}`);
  print(`ceilings, measured before: ${ceilings.gflops.toFixed(1)} GFLOP/s, copying ${ceilings.gbytes.toFixed(1)} GB/s`);
  const restless = unsteady(times).map(({ name: variant }) => variant);
  if (restless.length > 0)
    print(`caution: turns of ${restless.join(', ')} differed by more than a tenth: is the machine busy?`);
}

export function timingsJson(timings: Timings): object {
  return { ...timings, unsteady: unsteady(timings.times).map(({ name }) => name) };
}

export function trialJson({ compilation, parity, judged, timings, notTimed }: Trial): object {
  return {
    compilation,
    ...(parity && { parity: parityJson(parity) }),
    ...(judged && { judged }),
    ...(timings && timingsJson(timings)),
    ...(notTimed !== undefined && { notTimed }),
  };
}

function parityJson(parity: Parity): object {
  const leftOut = Object.fromEntries(parity.leftOut);
  return { ...parity, leftOut, suite: suiteSize(parity), saysLittle: saysLittle(parity) };
}

function milliseconds(seconds: number): string {
  return threeDigits(1000 * seconds);
}

/** Three significant digits, and never a power of ten. */
function threeDigits(value: number): string {
  return value >= 999.5 ? value.toFixed(0) : value.toPrecision(3);
}

function exponent(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}
