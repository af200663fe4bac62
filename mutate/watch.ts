/** Keeps a judging process, ends it where a mutant does not end, and starts the next one. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Verdict } from './judge.js';
import type { Mutant } from './shader.js';
import type { Assignment, Message } from './worker.js';

/** Compiled programs are kept as long as a process lives: after so many mutants, another takes over. */
const MOST_MUTANTS = 200;

/** Seconds of processor time for the first case of a shader: it is compiled then, which takes Mesa's llvmpipe up to ten. */
const FIRST_LIMIT = 60;

/** A case hangs if it takes so many times as long as the slowest before it, compilation included. */
const PATIENCE = 4;

/** By the clock, so many times as long. */
const WAITING = 20;

interface Judging {
  readonly child: ChildProcess;
  judged: number;
}

export class Watch implements AsyncDisposable {
  #judging: Judging | undefined;
  #adapter = '';
  readonly #unsound = new Set<string>();
  /** By shader, in seconds. */
  readonly #slowest = new Map<string, number>();

  /** `program` is a file that calls `work` when it is forked. A case may take `limit` seconds of processor time, or more where others did. */
  constructor(
    private readonly program: string,
    private readonly limit: number,
  ) {}

  /** What mutants are judged on. Starts a judging process. */
  async adapter(): Promise<string> {
    await this.#started();
    return this.#adapter;
  }

  /** Cases that judge nothing: see `Judge.unsound`. */
  get unsound(): readonly string[] {
    return [...this.#unsound];
  }

  async judge(mutant: Mutant, first: readonly string[]): Promise<Verdict> {
    const judging = await this.#started();
    const { child } = judging;
    judging.judged++;
    let on = '';
    try {
      return await new Promise<Verdict>((resolve) => {
        const stop = (by: 'hung' | 'crashed') => {
          this.#judging = undefined;
          child.kill('SIGKILL');
          resolve({ outcome: 'killed', by, where: on });
        };
        const { shader } = mutant;
        const slowest = this.#slowest.get(shader);
        const limit = slowest === undefined ? FIRST_LIMIT : Math.max(this.limit, PATIENCE * slowest);
        // For one that does not even say that it hangs.
        const patience = () => setTimeout(stop, 1000 * WAITING * limit, 'hung');
        let timer = patience();
        child.once('exit', () => {
          clearTimeout(timer);
          stop('crashed');
        });
        child.on('message', (message: Message) => {
          clearTimeout(timer);
          if (message.kind === 'hung') return stop('hung');
          if (message.kind !== 'ready' && on !== '')
            this.#slowest.set(shader, Math.max(message.took, this.#slowest.get(shader) ?? 0));
          if (message.kind === 'verdict') {
            for (const name of message.unsound) this.#unsound.add(name);
            resolve(message.verdict);
            if (message.verdict.outcome === 'killed' && message.verdict.by === 'fault') this.#judging = undefined;
            return;
          }
          if (message.kind === 'on') on = message.name;
          timer = patience();
        });
        child.send({ mutant, first, limit } satisfies Assignment);
      });
    } finally {
      child.removeAllListeners('message').removeAllListeners('exit');
      if (judging.judged >= MOST_MUTANTS) await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#judging?.child.kill('SIGKILL');
    this.#judging = undefined;
  }

  async #started(): Promise<Judging> {
    if (this.#judging) return this.#judging;
    // Mesa's llvmpipe compiles without optimisation in a third of the time.
    const child = fork(this.program, {
      env: { ...process.env, GALLIVM_PERF: 'nopt' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-2000);
    });
    const ready = await new Promise<Message>((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`the judging process ended before it began: ${said.trim()}`)));
    });
    child.removeAllListeners('exit');
    if (ready.kind === 'ready') this.#adapter = ready.adapter;
    this.#judging = { child, judged: 0 };
    return this.#judging;
  }
}
