/** `ptdpc certify`: a right device, a wrong one, and what is refused before any work. */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { allKernels, kernelNamed } from '../../src/kernels/index.js';
import { closeGpu, nodeAdapter } from '../../src/node/gpu.js';
import {
  expectRefused,
  fixture,
  outcomeOf,
  ptdpc,
  scratchNames,
  scratchPath,
  setUpProgram,
  startPtdpc,
} from './program.js';

setUpProgram();

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;
closeGpu();

/** What these tests read of a certificate. */
interface Read {
  right: boolean;
  quick: boolean;
  failures: { where: string; what: string; case: string; worst: { output: string; index: number[] } }[];
  host: Record<string, string>;
  kernels: { kernel: string; variant: string; cases: number; leftOut: Record<string, number> }[];
  references: unknown[];
}

const certificateAt = async (name: string): Promise<[Read, string]> => [
  JSON.parse(await readFile(scratchPath(`${name}.json`), 'utf8')) as Read,
  await readFile(scratchPath(`${name}.html`), 'utf8'),
];

test('the CPU is right; the certificate is a document and a page', async () => {
  const { code, stdout, stderr } = await ptdpc(['certify', '--device', 'cpu', '--quick', '--out', 'cpu.json']);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /^kernels: \d+ cases\nreference numbers: 2 models\nceilings: arithmetic and copying\nrates: \d+ kernels\nwritten: cpu\.json and cpu\.html\n$/,
  );
  const kernels = allKernels();
  const suites = kernels.reduce((sum, kernel) => sum + kernel.cases.suite.length, 0).toLocaleString('en');
  const [, checked, suite, again] =
    /^device +CPU, .*\nkernels +right: (\d+ variants of \d+) kernels, \d+ of (\S+) cases, largest error \S+ \(tolerance 2\.0e-6\)\nreference +right: 10 outputs, .*\ntwice +equal bits: (\d+) cases and 20,520 numbers\ntuning +not measured: .*\nat best .*\n/.exec(
      stdout,
    ) ?? [];
  expect([checked, suite]).toEqual([`${kernels.length} variants of ${kernels.length}`, suites]);
  expect(stderr).toContain(`kernels: ${again} cases`);
  expect(stdout).toMatch(/^matmul m=\S+ +WebAssembly +\S+ +\S+ +\S+ %$/m);
  const [certificate, page] = await certificateAt('cpu');
  expect(certificate).toMatchObject({ right: true, quick: true, failures: [], host: { node: process.version } });
  expect(certificate.references).toHaveLength(10);
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain('Right: nothing failed.');
});

describe.skipIf(!hasAdapter)('a GPU', () => {
  test('whose driver compiles a kernel wrongly is refused by its worst element', async () => {
    const hook = pathToFileURL(fixture('../support/wrong-shader.mjs')).href;
    const { code, stdout, stderr } = await ptdpc(['certify', '--quick', '--json', '--out', 'wrong.json'], {
      NODE_OPTIONS: `--import ${hook}`,
      WRONG_SHADER: JSON.stringify(['sum += exp(x[at + c] - largest);', 'sum += 0.5 + exp(x[at + c] - largest);']),
    });
    expect(code, stderr).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^ptdpc: WebGPU, .*: not right, \d+ failures; first softmax \(shipped\): wrong on softmax rows=1,columns=1\S*: 1 of 1 elements off, worst out\[0, 0\] is 0\.66\d*, expected 1$/,
    );
    const [certificate, page] = await certificateAt('wrong');
    expect(JSON.parse(stdout)).toEqual(certificate);
    expect(certificate.right).toBe(false);
    expect(new Set(certificate.failures.map(({ where }) => where))).toEqual(new Set(['softmax (shipped)']));
    expect(certificate.failures[0]).toMatchObject({ what: 'wrong', worst: { output: 'out', index: [0, 0] } });
    const { variants } = kernelNamed('matmul');
    expect(certificate.kernels.filter(({ kernel }) => kernel === 'matmul')).toHaveLength(variants.length);
    for (const { cases, leftOut } of certificate.kernels) {
      if (cases === 0)
        expect(Object.keys(leftOut).join()).toMatch(
          /^the variant needs (matrixF\d+x\d+|subgroupSize|shaderF16) \S+ \d+$/,
        );
    }
    expect(page).toContain('Not right: ');
  });

  test('interrupted, leaves nothing', async () => {
    const before = await scratchNames();
    const child = startPtdpc(['certify', '--out', 'never.json']);
    child.stderr.on('data', (text: string) => {
      if (text.includes('kernels:')) child.kill('SIGINT');
    });
    expect((await outcomeOf(child)).signal).toBe('SIGINT');
    expect(await scratchNames()).toEqual(before);
  });
});

test('refuses at once what would fail at the end', async () => {
  const before = await scratchNames();
  await expectRefused(['certify', '--device', 'gpu'], /'--device <device>' argument 'gpu' is invalid.*webgpu, cpu/);
  await expectRefused(['certify', '--out', 'nowhere/c.json'], /^ptdpc: --out nowhere: no such folder$/);
  await expectRefused(
    ['certify', '--device', 'cpu', '--trust-shaders'],
    /^ptdpc: --trust-shaders: expected --device webgpu /,
  );
  await expectRefused(['certify', '--out', 'c.txt'], /^ptdpc: --out c\.txt: expected a name that ends in \.json, /);
  const noDriver = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
  if (process.platform === 'linux') {
    const { code, stdout, stderr } = await ptdpc(['certify', '--out', 'c.json'], noDriver);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^ptdpc: --device webgpu: no WebGPU adapter on this machine; install/,
    );
  }
  expect(await scratchNames()).toEqual(before);
});
