/**
 * What the JavaScript peers share: the command line `<backend> m k n [seconds]`, random operands, and the one JSON line that a
 * result is. `prepare(backend, sizes)` returns a function that computes a [m, k] times b [k, n] and resolves when it is done.
 */
import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';

export function random(length) {
  return Float32Array.from({ length }, () => Math.random() * 2 - 1);
}

export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

/** Dawn's GPU object, with the globals that software written for browsers looks for. */
export function openGpu() {
  const gpu = create([]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true });
  return gpu;
}

export async function main(name, prepare) {
  const [backend, m, k, n, seconds = 0.5] = process.argv.slice(2).map((word, i) => (i === 0 ? word : Number(word)));
  const run = await prepare(backend, { m, k, n });
  for (let i = 0; i < 2; i++) await run();
  let times = 0;
  let passed = 0;
  for (const start = performance.now(); passed < seconds || times < 3; passed = (performance.now() - start) / 1000) {
    await run();
    times++;
  }
  const value = Number(((2e-9 * m * k * n * times) / passed).toPrecision(4));
  process.stdout.write(`${JSON.stringify({ peer: `${name} ${backend}`, unit: 'GFLOP/s', value })}\n`, () => {
    // Without unloading: live devices and worker threads would keep the process, or crash it on the way out.
    process.kill(process.pid, 'SIGKILL');
  });
}
