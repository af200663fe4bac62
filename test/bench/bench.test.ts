/** The benchmarks' bundle runs and prints rows of the documented shape; how fast anything is, is not asserted. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
let folder: string;
let bundle: string;

beforeAll(async () => {
  // Inside the package, where Node finds the packages that the bundle imports.
  folder = mkdtempSync(join(root, 'node_modules', '.ptdpc-bench-'));
  bundle = join(folder, 'bench.mjs');
  await build({
    entryPoints: [join(root, 'bench', 'main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    packages: 'external',
    outfile: bundle,
    logLevel: 'silent',
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]) {
  return spawnSync(process.execPath, [bundle, ...args], { encoding: 'utf8', cwd: root });
}

describe('bench', () => {
  it('prints a JSON row per variant of the matrix product', () => {
    const { stdout, stderr, status } = bench(
      ...['--quick', '--only', 'matmul', '--product', '33x40x48', '--device', 'cpu', '--json', '--no-peers'],
    );
    expect(status, stderr).toBe(0);
    const rows: unknown = JSON.parse(stdout);
    expect(Array.isArray(rows)).toBe(true);
    const list = rows as Record<string, unknown>[];
    expect(list.map(({ device }) => device)).toContain('cpu, WebAssembly, 1 thread');
    expect(list.map(({ device }) => device)).toContain('cpu, plain twin');
    for (const row of list) {
      expect(row).toMatchObject({
        work: 'matmul 33x40x48',
        unit: 'GFLOP/s',
        ours: expect.any(Number),
        ceiling: expect.any(Number),
        // Other software was not asked for, and nothing is recorded for these sizes.
        peer: null,
        peerName: null,
        ratio: null,
      });
      expect(row.ours).toBeGreaterThan(0);
      expect(row.ceiling).toBeGreaterThan(0);
    }
  });

  it('prints a row for the image pipeline, which has no ceiling of arithmetic', () => {
    const { stdout, stderr, status } = bench(
      ...['--quick', '--only', 'images-png', '--device', 'cpu', '--json', '--no-peers'],
    );
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { unit: 'images/s', ours: expect.any(Number), peer: null, ceiling: null },
    ]);
  });

  it('refuses a benchmark that does not exist and sizes that are none, in one line', () => {
    const unknown = bench('--only', 'matmull', '--device', 'cpu');
    expect(unknown.status).toBe(1);
    expect(unknown.stderr.trim().split('\n')).toHaveLength(1);
    expect(unknown.stderr).toContain('train');
    const sizes = bench('--product', '12x0x7');
    expect(sizes.status).toBe(1);
    expect(sizes.stderr).toContain('1024x768x3072');
  });
});
