/**
 * What the host does, as spans of time. Code that may take long says so for the rest of its block,
 *
 *     using _ = span('decode', { file });
 *
 * which costs a test of one variable while nobody listens. `--profile` and `--trace` listen (cli/trace/), and the page does
 * (web/engine/measures.ts). What the device does is recorded by a Profiler.
 */

/** Kinds of work. */
export type Work =
  /** Loading this program, opening a device. */
  | 'start'
  /** Files. */
  | 'read'
  | 'write'
  /** Images: to pixels, and to what a model takes. */
  | 'decode'
  | 'preprocess'
  /** Weights, from a file to the device. */
  | 'load'
  /** Kernels: compiling them, recording them for the device, computing them on the host itself, waiting for a result. */
  | 'compile'
  /** Compiling ahead, beside other work. */
  | 'prepare'
  | 'record'
  | 'compute'
  | 'wait'
  /** Parts of a job, which are made up of the others. */
  | 'epoch'
  | 'step'
  | 'forward'
  | 'backward'
  | 'update'
  | 'validate'
  | 'encode';

/** What is worked on. */
export type Details = Readonly<Record<string, string | number>>;

/** A piece of work that has ended. Times in milliseconds, as `performance.now` gives them. */
export interface Span {
  readonly work: Work;
  readonly details?: Details | undefined;
  readonly begin: number;
  readonly end: number;
  /** The thread that did it, if not the one that listens. */
  readonly thread?: string;
}

/** Who is told of spans. */
export interface SpanListener {
  /** Called when this thread begins a piece of work. */
  begin?(work: Work, at: number): void;
  /** Called when one has ended. */
  end(span: Span): void;
}

let listener: SpanListener | undefined;

/** Sets who is told of spans from now on; undefined: nobody. There is one listener at a time. */
export function listenToSpans(to: SpanListener | undefined): void {
  listener = to;
}

/** Whether anybody listens. */
export function isTraced(): boolean {
  return listener !== undefined;
}

/** Begins a piece of work, which ends when what this returns is disposed of. Undefined if nobody listens. */
export function span(work: Work, details?: Details): Disposable | undefined {
  if (!listener) return undefined;
  const begin = performance.now();
  const to = listener;
  to.begin?.(work, begin);
  return { [Symbol.dispose]: () => to.end({ work, details, begin, end: performance.now() }) };
}

/** Passes on what another thread has done: `origin` is its `performance.timeOrigin`, from which it counts. */
export function passOn(spans: readonly Span[], origin: number, thread: string): void {
  const shift = origin - performance.timeOrigin;
  for (const { begin, end, ...rest } of spans)
    listener?.end({ ...rest, begin: begin + shift, end: end + shift, thread });
}
