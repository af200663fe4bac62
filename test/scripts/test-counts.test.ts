/** scripts/test-counts.mjs must turn every way of not running a test into a failure. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const script = new URL('../../scripts/test-counts.mjs', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'ptdpc-counts-'));
afterAll(() => rmSync(directory, { recursive: true }));

const ON_GPU = { fullName: 'matmul on webgpu multiplies', status: 'passed' };
const ON_CPU = { fullName: 'matmul on cpu multiplies', status: 'passed' };

function count(tests: { fullName: string; status: string }[], file: { status?: string; success?: boolean } = {}) {
  const report = join(directory, 'report.json');
  const { status = 'passed', success = true } = file;
  const testResults = [{ name: 'a.test.ts', status, message: 'cannot import', assertionResults: tests }];
  writeFileSync(report, JSON.stringify({ success, testResults }));
  return spawnSync(process.execPath, [script, report], { encoding: 'utf8' });
}

describe('scripts/test-counts.mjs', () => {
  it('prints the counts alone on the last line', () => {
    const { status, stdout } = count([ON_GPU, ON_CPU]);
    expect([status, stdout]).toEqual([0, '2 passed, 0 failed, 0 skipped\n']);
  });

  it.each(['skipped', 'pending', 'todo', 'disabled'])('refuses a test that is %s', (status) => {
    const result = count([ON_GPU, { fullName: 'x', status }]);
    expect([result.status, result.stdout]).toEqual([1, '1 passed, 0 failed, 1 skipped\n']);
    expect(result.stderr).toBe('skipped: x\n');
  });

  it('refuses a failed test', () => {
    const result = count([ON_GPU, { fullName: 'x', status: 'failed' }], { status: 'failed', success: false });
    expect([result.status, result.stdout]).toEqual([1, '1 passed, 1 failed, 0 skipped\n']);
  });

  it('refuses a file that did not load', () => {
    const result = count([], { status: 'failed', success: false });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('did not load: a.test.ts cannot import');
  });

  it('refuses a run without WebGPU', () => {
    const result = count([ON_CPU]);
    expect([result.status, result.stderr]).toEqual([1, 'no test ran on WebGPU\n']);
  });
});
