/** Where the host's time goes, from spans: every moment counts as one kind of work, so that the sums make up the whole; and the spans, for a trace. */
import type { Span, SpanListener, Work } from '../../trace.js';

/**
 * What a moment counts as, if the host is at several: first what occupies its thread, then what it waits for. Parts of a job are made up of
 * these and are not among them.
 */
const ORDER = [
  'compute',
  'compile',
  'preprocess',
  'record',
  'wait',
  'decode',
  'write',
  'read',
  'load',
  'prepare',
  'start',
] as const satisfies readonly Work[];

/** Twice the dispatches that are kept: on a GPU the host records each, and does little else so often. */
const MOST_SPANS = 1_000_000;

/** The kinds that moments count as. `rest`: none of them. */
export type HostWork = (typeof ORDER)[number] | 'rest';

/** What the host spent on a kind of work. */
export interface HostRow {
  readonly work: HostWork;
  readonly times: number;
  readonly seconds: number;
}

/** Listens to spans, from the start of the process. */
export class HostRecorder implements SpanListener {
  /** Of other threads, which work beside the host. */
  readonly threadSeconds = new Map<Work, number>();
  /** The first ones. */
  readonly spans: Span[] = [];
  /** Spans that were not kept. */
  left = 0;
  readonly #seconds = new Map<HostWork, number>();
  readonly #times = new Map<Work, number>();
  readonly #active = new Map<Work, number>();
  #base: 'start' | 'rest' = 'start';
  #last = 0;

  constructor(readonly keepsSpans: boolean) {}

  /** Since the start of the process, so far. */
  get milliseconds(): number {
    return this.#last;
  }

  begin(work: Work, at: number): void {
    this.#advance(at);
    if (this.#base === 'start' && work !== 'start') this.#started(at);
    this.#active.set(work, (this.#active.get(work) ?? 0) + 1);
    this.#times.set(work, (this.#times.get(work) ?? 0) + 1);
  }

  end(span: Span): void {
    const { work, begin, end, thread } = span;
    if (thread !== undefined) {
      this.threadSeconds.set(work, (this.threadSeconds.get(work) ?? 0) + (end - begin) / 1000);
    } else {
      this.#advance(end);
      this.#active.set(work, (this.#active.get(work) ?? 1) - 1);
    }
    // Kernels are the device's rows.
    if (!this.keepsSpans || work === 'compute') return;
    if (this.spans.length < MOST_SPANS) this.spans.push(span);
    else this.left++;
  }

  /** Counts what is open until now. */
  finish(): void {
    this.#advance(performance.now());
  }

  /** The kinds of work, largest first. */
  rows(): HostRow[] {
    return [...this.#seconds]
      .map(([work, seconds]) => ({ work, seconds, times: work === 'rest' ? 0 : (this.#times.get(work) ?? 0) }))
      .sort((a, b) => b.seconds - a.seconds);
  }

  /** The start is over once anything else is done. */
  #started(at: number): void {
    this.#base = 'rest';
    if (this.keepsSpans) this.spans.push({ work: 'start', begin: 0, end: at });
  }

  #advance(to: number): void {
    const work = ORDER.find((one) => (this.#active.get(one) ?? 0) > 0) ?? this.#base;
    this.#seconds.set(work, (this.#seconds.get(work) ?? 0) + (to - this.#last) / 1000);
    this.#last = to;
  }
}
