/** Ctrl-C and SIGTERM in programs that would compute for ever. */
import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const module = new URL('../../src/node/interrupt.ts', import.meta.url).pathname;

/** Endless work: a loop, a sleep, a loop in WebAssembly, a throw of its own before the loop. */
const WORK = {
  loop: 'for (;;);',
  wait: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  // (func (loop br 0)), started with the module.
  wasm: 'new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,8,1,0,10,9,1,7,0,3,64,12,0,11,11)));',
} as const;

/** A handler that never gets its turn must not keep a program alive: no polite signal. */
const LIMIT = { timeout: 200_000, killSignal: 'SIGKILL' } as const;

const bundle = scratch('program.mjs');

beforeAll(async () => {
  const contents = `
    import { writeFileSync, rmSync } from 'node:fs';
    import { answerInterruptions, interruptibly, onInterrupt, whenInterrupted } from ${JSON.stringify(module)};
    const [, , work, file] = process.argv;
    const says = (meaning) => process.stderr.write('interrupted; ' + meaning + '\\n');
    if (work !== 'default') answerInterruptions(says);
    const caught = [];
    for (const error of [new TypeError('own'), undefined]) {
      try { interruptibly(() => interruptibly(() => { throw error; })); } catch (found) { caught.push(found === error); }
    }
    if (interruptibly(() => 5) !== 5 || caught.join() !== 'true,true') process.exit(9);
    whenInterrupted(() => 'outer');
    whenInterrupted(() => 'inner')[Symbol.dispose]();
    if (work !== 'default') {
      writeFileSync(file, 'half');
      const signals = work === 'rest' ? undefined : ['SIGINT'];
      onInterrupt(() => { throw new Error('a clean-up that fails'); }, signals);
      onInterrupt(() => rmSync(file), signals);
    }
    process.stdout.write('ready');
    const body = ${JSON.stringify(WORK)}[work];
    if (body) interruptibly(new Function(body));
    else setInterval(() => {}, 1000);
  `;
  await build({
    stdin: { contents, resolveDir: scratch('.') },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: bundle,
    logLevel: 'silent',
  });
});

/** Runs the program and sends the signal once it is at work. */
async function interrupted(work: string, signal: NodeJS.Signals) {
  const file = scratch('half');
  const child = spawn(process.execPath, [bundle, work, file], { stdio: ['ignore', 'pipe', 'pipe'], ...LIMIT });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.once('data', () => setTimeout(() => child.kill(signal), 100));
  const ended = await new Promise((resolve) => child.on('close', (code, by) => resolve(by ?? code)));
  return { ended, stderr, left: (await readdir(scratch('.'))).includes('half') };
}

test.each([...Object.keys(WORK), 'rest'])(
  'Ctrl-C: says what it means, cleans up, ends by the signal (%s)',
  async (work) => {
    expect(await interrupted(work, 'SIGINT')).toEqual({ ended: 'SIGINT', stderr: 'interrupted; outer\n', left: false });
  },
);

test('SIGTERM: cleans up without a word; ends at once where there is nothing that cannot wait', async () => {
  expect(await interrupted('rest', 'SIGTERM')).toEqual({ ended: 'SIGTERM', stderr: '', left: false });
  expect(await interrupted('loop', 'SIGTERM')).toEqual({ ended: 'SIGTERM', stderr: '', left: true });
});

test('a program that does not ask for it is left as it is', async () => {
  await writeFile(scratch('half'), '');
  expect(await interrupted('default', 'SIGINT')).toEqual({ ended: 'SIGINT', stderr: '', left: true });
});
