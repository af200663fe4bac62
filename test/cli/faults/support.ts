/** Disks that are full or read-only, and a hub on this machine, for whole commands. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { errorCode } from '../../../src/node/system-error.js';
import type { TestServer } from '../../support/hub-server.js';
import { fixture, type Outcome, outcomeOf, programPath, ptdpc, scratchPath } from '../program.js';
import { tinyVocabulary } from '../tiny-vocabulary.js';

const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });

/** Root may mount; in some containers not even root. */
export const mayMount = ((): boolean => {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

/** Has what is mounted in the test file's folder go before the folder does. Call it after `setUpProgram`. */
export function setUpDisks(): { small(name: string, size: string): string; readOnly(name: string): string } {
  const mounted: string[] = [];
  afterAll(() => {
    for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
  });
  return {
    /** An empty file system of that size (`64k`, `8m`). */
    small: (name, size) => {
      const path = scratchPath(name);
      mkdirSync(path);
      mount('-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path);
      mounted.push(path);
      return path;
    },
    /** Makes a folder that is there read-only: to root by a mount, since permissions do not bind it. */
    readOnly: (name) => {
      const path = scratchPath(name);
      if (process.getuid?.() === 0) {
        mount('--bind', path, path);
        mounted.push(path);
        mount('-o', 'remount,ro,bind', path);
      } else chmodSync(path, 0o555);
      return path;
    },
  };
}

/** Gives a file system of `small` another size. */
export function resize(path: string, size: string): void {
  mount('-o', `remount,size=${size}`, path);
}

/** Takes all the room that a file system has left. */
export async function fill(folder: string): Promise<void> {
  const file = await open(join(folder, 'filler'), 'a');
  try {
    for (;;) await file.write(Buffer.alloc(4096));
  } catch (error) {
    expect(errorCode(error)).toBe('ENOSPC');
  } finally {
    await file.close();
  }
}

/** Runs the program where no file may grow beyond `kibibytes` (RLIMIT_FSIZE). */
export async function withFilesUpTo(kibibytes: number, args: readonly string[]): Promise<Outcome> {
  // POSIX counts blocks of 512 bytes.
  const script = `ulimit -f ${2 * kibibytes} && exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, programPath(), ...args], {
    cwd: scratchPath(''),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PTDPC_CACHE: scratchPath('cache'), PTDPC_DEBUG: '' },
  });
  return outcomeOf(child);
}

/** What ended for want of something outside the program: code 2, and one line of ours, the last one. Returns it. */
export function lastLine({ code, signal, stdout, stderr }: Outcome): string {
  expect([code, signal, stdout], stderr).toEqual([2, null, '']);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.filter((line) => line.startsWith('ptdpc: '))).toEqual([lines.at(-1)]);
  expect(stderr).not.toMatch(/^ +at |internal error/m);
  return lines.at(-1)!;
}

/** Runs what must succeed. */
export async function expectDone(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
  const outcome = await ptdpc(args, env);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

const ID = 'someone/clip-tiny';

/** Arguments that fetch the hub's model. */
export const fetchArgs = (out: string): string[] => ['fetch', ID, '--out', out, '--no-hub-cache'];

/** Path of its weights on the hub. */
export const WEIGHTS = `/${ID}/resolve/${'c'.repeat(40)}/model.safetensors`;

/** Puts the golden tiny CLIP on a hub, and returns the environment in which `fetch` asks that hub. */
export async function addTinyClip(server: TestServer): Promise<NodeJS.ProcessEnv> {
  const files = {
    'config.json': await readFile(fixture('clip-tiny/config.json')),
    'merges.txt': tinyVocabulary,
    'model.safetensors': await readFile(fixture('clip-tiny/model.safetensors')),
  };
  server.addRepository(ID, files, { large: ['model.safetensors'] });
  return { HF_ENDPOINT: server.origin, HTTP_PROXY: '', http_proxy: '', HF_TOKEN: '' };
}

/** Arguments of a small experiment on the generated data set in `sets/`. */
export const experimentArgs = (out: string, name = 'table2'): string[] => [
  ...['experiment', name, '--data-root', 'sets', '--datasets', 'twitter2', '--model', 'model', '--out', out],
  ...['--epochs', '3', '--lr', '0.1', '--seeds', '1', '--device', 'cpu'],
];
