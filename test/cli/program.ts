/** Runs the real program as a child process. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;

/** A fixture's path, as a user would give it. */
export const fixture = (name: string): string => join(ROOT, 'test/fixtures', name);

export interface Outcome {
  /** Null where a signal ended the program. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** Without the warnings that Dawn's native code prints. */
  stderr: string;
}

let scratch: string;

/** Gives the file's tests a folder that goes away after them. */
export function setUpProgram(): void {
  beforeAll(async () => {
    await mkdir(join(ROOT, '.cache'), { recursive: true });
    scratch = await mkdtemp(join(ROOT, '.cache/cli-test-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));
}

/** A path in the test file's own folder. */
export const scratchPath = (name: string): string => join(scratch, name);

/** The bundled command line, for those who start it themselves. */
export const programPath = (): string => join(inject('program'), 'main.js');

/** Starts the program. */
export function startPtdpc(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawn(process.execPath, [programPath(), ...args], {
    cwd: scratch,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PTDPC_CACHE: join(scratch, 'cache'), PTDPC_DEBUG: '', ...env },
    timeout: 300_000,
  });
}

/** Runs the program to its end. */
export async function ptdpc(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
  return outcomeOf(startPtdpc(args, env));
}

export async function outcomeOf(child: ReturnType<typeof startPtdpc>): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr: stderr.replace(/^Warning: maxDynamic.*\n/gm, '') });
    });
  });
}

/** Runs what must succeed, and parses its --json output. */
export async function ptdpcJson<T>(args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await ptdpc([...args, '--json']);
  expect(stderr).not.toMatch(/internal error/);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

/** Runs what must be refused: exit code 2, nothing on standard output, and a last line `ptdpc: ...` that matches. */
export async function expectRefused(args: readonly string[], message: RegExp, env?: NodeJS.ProcessEnv): Promise<void> {
  const { code, stdout, stderr } = await ptdpc(args, env);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(/^ptdpc: /);
  expect(lines.at(-1)).toMatch(message);
  expect(
    lines
      .slice(0, -1)
      .filter((line) => !/^(?:device|data set|encoder|warning|Warning|if interrupted, resume with): /.test(line)),
  ).toEqual([]);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}

/** The least `--memory` that a command line says it needs; it depends on the number of threads. */
export async function leastMemory(args: readonly string[]): Promise<string> {
  for (let memory = '1KiB'; ; ) {
    const { stderr } = await ptdpc([...args, '--memory', memory]);
    const [, need] = /--memory: .* (?:takes|needs|needs at least) (\d+\.\d) MiB/.exec(stderr) ?? [];
    if (!need || memory === `${need}MiB`) return memory;
    memory = `${need}MiB`;
  }
}

/** Names in the scratch folder, hidden ones included. */
export async function scratchNames(): Promise<string[]> {
  return (await readdir(scratch)).sort();
}
