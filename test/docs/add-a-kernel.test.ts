/**
 * docs/kernels/add-a-kernel.md, followed to the letter: its three files added to a copy of the sources make a kernel that is listed and passes its
 * suite in every variant, and in a program of one's own they print what the page says.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasAdapter } from '../support/devices.js';

const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/kernels/add-a-kernel.md'), 'utf8');
/** Files by name: `NAME`:, then a fence. */
const files = new Map(
  [...page.matchAll(/^`([\w./-]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name!, text!]),
);
const ADDED = ['shaders/rms_norm.wgsl', 'shaders/rms_norm_grad.wgsl', 'src/kernels/families/rms-norm.ts'];

/** What runs the suites of the kernels in the copy, on both devices, and prints one line for each. */
const CHECK = `
import { allKernels, alwaysUse, CpuBackend, kernels, suiteOf } from './src/kernels/index.js';
import { checkParity } from './src/lab/index.js';
import { openWebGpu } from './src/node/device.js';
import { closeGpu, nodeAdapter } from './src/node/gpu.js';

const check = async (device: string, backend: Parameters<typeof checkParity>[0], kernel: ReturnType<typeof allKernels>[number]) => {
  const parity = await checkParity(backend, suiteOf(kernel), (args) => {
    backend.run(kernel, args);
    return undefined;
  });
  console.log(device, kernel.name, parity.cases, parity.wrong.length, parity.unstable.length);
  backend.dispose();
};
const own = allKernels().filter(({ name }) => name.startsWith('rmsNorm'));
console.log(Object.keys(kernels).filter((name) => name.startsWith('rmsNorm')).join(' '));
for (const kernel of own) {
  await check('cpu', new CpuBackend(), kernel);
  for (const { name } of kernel.variants) {
    const adapter = await nodeAdapter();
    if (adapter) await check(name, await openWebGpu(adapter, { tuning: alwaysUse(name, kernel) }), kernel);
  }
}
closeGpu();
`;

let scratch: string;

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  scratch = mkdtempSync(join(root, '.cache/add-a-kernel-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The package by its own name, from its sources. */
const PACKAGE = Object.fromEntries(
  ['kernels', 'lab', 'node', 'tensor'].map((name) => [`ptdpc/${name}`, join(root, `src/${name}/index.ts`)]),
);

/** What the page says that a program prints. */
function printedBy(name: string): string {
  const fences = page.slice(page.indexOf(`\n\`${name}\`:\n`));
  return /^```txt\n([\s\S]*?)^```$/m.exec(fences)![1]!;
}

/** Bundles a program for Node and runs it; returns what it prints. */
async function run(entry: string, alias: Record<string, string> = {}): Promise<string> {
  const outfile = entry.replace(/ts$/, 'mjs');
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    packages: 'external',
    alias,
    outfile,
    logLevel: 'silent',
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
  expect({ status, stderr: stderr.replace(/^Warning: maxDynamic.*\n/gm, '') }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

it('the page has the three files and two programs', () => {
  expect([...files.keys()]).toEqual([...ADDED, 'main.ts', 'softplus.ts']);
});

describe('in the library', () => {
  it('three files, and no other edit: listed, and right on both devices in every variant', async () => {
    const copy = join(scratch, 'library');
    for (const folder of ['src', 'shaders', 'scripts', 'docs/kernels/exercises', 'package.json'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const name of ADDED) writeFileSync(join(copy, name), files.get(name)!, { flag: 'wx' });
    expect(spawnSync(process.execPath, [join(copy, 'scripts/embed-shaders.mjs')]).status).toBe(0);
    writeFileSync(join(copy, 'check.ts'), CHECK);
    const lines = (await run(join(copy, 'check.ts'))).trimEnd().split('\n');
    expect(lines).toEqual([
      'rmsNorm rmsNormGrad',
      'cpu rmsNorm 8 0 0',
      ...(hasAdapter ? ['workgroup rmsNorm 8 0 0', 'rows rmsNorm 8 0 0'] : []),
      'cpu rmsNormGrad 6 0 0',
      ...(hasAdapter ? ['workgroup rmsNormGrad 6 0 0'] : []),
    ]);
  });
});

describe.skipIf(!hasAdapter)('in a program of your own', () => {
  it('the same files, changed as the page says, and a program that prints what follows it', async () => {
    const folder = join(scratch, 'own');
    mkdirSync(folder);
    for (const [name, text] of files) writeFileSync(join(folder, basename(name)), text);
    const [, head] = /```ts\n(import \{ readFileSync[\s\S]*?)```/.exec(page)!;
    const own = files
      .get('src/kernels/families/rms-norm.ts')!
      .replace(/^import .* from '..\/definition.js';\n/m, head!)
      .replaceAll(/wgsl: '(\w+)'/g, "wgsl: wgsl('$1')");
    writeFileSync(join(folder, 'rms-norm.ts'), own);
    expect(await run(join(folder, 'main.ts'), PACKAGE)).toBe(printedBy('main.ts'));
  });
});

describe('in a few lines', () => {
  it('engine.kernel prints what follows it', async () => {
    const file = join(scratch, 'softplus.ts');
    writeFileSync(file, files.get('softplus.ts')!);
    expect(await run(file, PACKAGE)).toBe(printedBy('softplus.ts'));
  });

  it('the messages are those that test/tensor/own-kernel.test.ts sees', () => {
    const seen = readFileSync(join(root, 'test/tensor/own-kernel.test.ts'), 'utf8');
    const explained = [...page.matchAll(/^\| `([^`]+)` \| /gm)].map(([, text]) => text!);
    expect(explained.length).toBeGreaterThan(5);
    for (const message of explained) expect(seen).toContain(message.replace(/^mine \(own\): (?=expected)/, ''));
  });
});
