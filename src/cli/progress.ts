/** A progress bar with rate and time left, on standard error; nothing at all if that is not a terminal. */
import { printable } from '../errors.js';
import type { Events, ProgressBar } from '../node/events.js';
import { Bar } from './bar.js';
import { say } from './output.js';

export interface Progress extends ProgressBar {
  skip(n: number): void;
  /** Takes the bar away. May be called twice. */
  stop(): void;
}

/** What long work tells, on the terminal. */
export const TERMINAL: Events = { say, progress };

/** Starts a bar for `total` of something; `unit` is what the rate counts ("images"). Stop it, or let `using` do so. */
export function progress(total: number, label: string, unit = ''): Progress {
  if (!process.stderr.isTTY) return { tick: () => {}, skip: () => {}, stop: () => {}, [Symbol.dispose]: () => {} };
  const started = performance.now();
  let value = 0;
  let skipped = 0;
  let note = '';
  const bar = new Bar(process.stderr, () =>
    progressLine({ label, unit, note, value, total, skipped, seconds: (performance.now() - started) / 1000 }),
  );
  const stop = () => bar.stop();
  return {
    tick: (n, said) => {
      value += n;
      note = said ?? note;
      bar.update();
    },
    skip: (n) => {
      value += n;
      skipped += n;
      bar.update();
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

const BAR_WIDTH = 20;

/** How far a bar is. */
export interface BarState {
  readonly label: string;
  /** What the rate counts. */
  readonly unit: string;
  readonly note: string;
  readonly value: number;
  readonly total: number;
  /** Of `value`, what took no work. */
  readonly skipped: number;
  /** Since the start. */
  readonly seconds: number;
}

/** `encoding ██████░░░░ 60/100, 12 images/s, 0:03 left`, and a note. What names from files hold to steer a terminal is escaped. */
export function progressLine({ label, unit, note, value, total, skipped, seconds }: BarState): string {
  const full = total > 0 ? Math.round(Math.min(1, value / total) * BAR_WIDTH) : BAR_WIDTH;
  const line = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${value}/${total}`;
  const perSecond = seconds > 0 ? (value - skipped) / seconds : 0;
  const rate = perSecond > 0 ? `${shortNumber(perSecond)}${unit && ` ${unit}`}/s` : '';
  const left = perSecond > 0 ? `${clock((total - value) / perSecond)} left` : '';
  return [`${printable(label)} ${line}`, rate, left, printable(note)].filter(Boolean).join(', ');
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** Seconds as 1:05 or 2:00:05. */
function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
