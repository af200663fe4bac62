/**
 * The package as its users have it: packed once from dist/ (`npm run build` comes first), unpacked beside its dependencies in a folder of
 * its own, and used from ES modules, CommonJS, bundles, another realm (as in Jest) and TypeScript.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const JPEG = join(ROOT, 'test/fixtures/preprocess/j5_640x480_RGB.jpg');
const PNG = join(ROOT, 'test/fixtures/preprocess/00_640x480_RGB.png');
const MODEL = join(ROOT, 'assets/demo-model');
const execute = promisify(execFile);

interface PackageJson {
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
}

let user: string;
let packageJson: PackageJson;
const inUser = (name: string) => join(user, name);
const write = (name: string, text: string) => writeFile(inUser(name), text);

/** Links a package of this repository's into the user's node_modules; its own dependencies are found from where it lies. */
async function link(name: string): Promise<void> {
  const path = inUser(join('node_modules', name));
  await mkdir(dirname(path), { recursive: true });
  await symlink(join(ROOT, 'node_modules', name), path);
}

async function node(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, ['--no-warnings', ...args], { cwd: user });
  return stdout;
}

/** What the user's program prints: features of an image, or why there are none, and what it says of a file that is not there. */
interface Said {
  features?: readonly number[];
  error?: string;
  missing: string;
}

const PROGRAM = `
  import { ClipModel, InputError } from 'ptdpc';
  import { demoModelDirectory, embedFiles, openDevice, openModelDirectory, readRunRecord } from 'ptdpc/node';
  const [image, model] = process.argv.slice(2);
  const said = (error) => (error instanceof InputError ? error.message : 'defect: ' + error.stack);
  async function embed() {
    const device = await openDevice('cpu');
    const directory = await openModelDirectory(model ?? demoModelDirectory());
    return Array.from((await embedFiles(new ClipModel(device, directory), [image], { strict: true })).features);
  }
  const missing = readRunRecord('nowhere').then(() => 'found', said);
  embed().then((features) => ({ features }), (error) => ({ error: said(error) })).then(async (result) => {
    console.log(JSON.stringify({ ...result, missing: await missing }));
    process.exit();
  });
`;

const MISSING = 'nowhere/run.json: not found; expected the folder of a run (npx ptdpc train --out <run>)';

const run = async (...args: string[]): Promise<Said> => JSON.parse(await node(...args)) as Said;

async function bundle(format: 'esm' | 'cjs', outfile: string): Promise<void> {
  const stdin = { contents: PROGRAM, resolveDir: user };
  const { warnings } = await build({ stdin, bundle: true, platform: 'node', format, outfile, logLevel: 'silent' });
  expect(warnings).toEqual([]);
}

let expected: Said;

beforeAll(async () => {
  // Outside the repository, whose node_modules would be found otherwise.
  user = await mkdtemp(join(tmpdir(), 'ptdpc-user-'));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', user];
  const [packed] = JSON.parse((await execute('npm', pack, { cwd: ROOT })).stdout) as [{ filename: string }];
  await execute('tar', ['xzf', packed.filename], { cwd: user });
  await mkdir(inUser('node_modules'));
  await cp(inUser('package'), inUser('node_modules/ptdpc'), { recursive: true });
  await rm(inUser('package'), { recursive: true });
  packageJson = JSON.parse(await readFile(inUser('node_modules/ptdpc/package.json'), 'utf8')) as PackageJson;
  for (const name of [...Object.keys(packageJson.dependencies), '@types/node']) await link(name);
  await write('program.mjs', PROGRAM);
  expected = await run('program.mjs', JPEG);
  expect(expected).toEqual({ features: expected.features, missing: MISSING });
  expect(expected.features).toHaveLength(128);
});
afterAll(() => rm(user, { recursive: true, force: true }));

const entries = () =>
  Object.keys(packageJson.exports)
    .filter((name) => name !== './package.json')
    .map((name) => name.replace(/^\./, 'ptdpc'));

test('every entry point is there for import and for require, with the same names', async () => {
  const ask = `const names = (all) => Object.keys(all).filter((name) => !/^(__esModule|module\\.exports)$/.test(name)).sort();
    (async () => {
      const wrong = [];
      for (const entry of ${JSON.stringify(entries())}) {
        const [imported, required] = [names(await import(entry)), names(require(entry))];
        if (imported.length < 5 || String(imported) !== String(required)) wrong.push(entry);
      }
      console.log(JSON.stringify(wrong));
    })();`;
  await write('require.cjs', ask);
  expect(JSON.parse(await node('require.cjs'))).toEqual([]);
});

describe.each([
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
] as const)('bundled by esbuild as %s', (format, extension) => {
  test('it works where the package is installed', async () => {
    await bundle(format, inUser(`bundle.${extension}`));
    expect(await run(`bundle.${extension}`, JPEG)).toEqual(expected);
  });

  test('on its own it needs the assets and the JPEG codec, says so, and does the rest', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'ptdpc-alone-'));
    try {
      const path = join(alone, `bundle.${extension}`);
      await bundle(format, path);
      expect((await run(path, PNG, MODEL)).features).toHaveLength(128);
      expect(await run(path, JPEG, MODEL)).toEqual({
        error: expect.stringMatching(
          /^@jsquash\/jpeg\/codec\/dec\/mozjpeg_dec\.wasm is not found; install its package/,
        ),
        missing: MISSING,
      });
      expect((await run(path, PNG)).error).toMatch(/^the files of ptdpc [\d.]+ are not found; install it where/);
    } finally {
      await rm(alone, { recursive: true });
    }
  });
});

test('without the optional package webgpu, WebGPU is refused in one line and the CPU is used', async () => {
  await write(
    'device.mjs',
    `import { openDevice } from 'ptdpc/node';
    const refused = await openDevice('webgpu').catch((error) => error.name + ': ' + error.message);
    const { backend } = await openDevice('auto');
    console.log(JSON.stringify([refused, backend.kind]));
    process.exit();`,
  );
  expect(JSON.parse(await node('device.mjs'))).toEqual([
    'InputError: WebGPU needs the optional package webgpu, which is not installed: npm install webgpu, or use --device cpu',
    'cpu',
  ]);
});

test('nothing is imported but what is installed with it', async () => {
  const folder = inUser('node_modules/ptdpc/dist');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const imported = texts.flatMap((text) =>
    [...text.matchAll(/(?:\bfrom|^import|\bimport\()\s*['"]((?:@[\w-]+\/)?[\w:-]+)/gm)].map(([, name]) => name!),
  );
  expect(imported).toContain('fflate');
  expect([...new Set(imported)].filter((name) => !(name in packageJson.dependencies) && !isBuiltin(name))).toEqual([]);
});

test('a chart is drawn without the package of charts', async () => {
  await write(
    'chart.mjs',
    `import { draw } from './node_modules/ptdpc/dist/report/svg.js';
    console.log(draw(100, 50, { xAxis: {}, yAxis: {}, series: [{ type: 'line', data: [[0, 1], [1, 2]] }] }).svg);`,
  );
  expect(await node('chart.mjs')).toMatch(/^<svg .*<path .*<\/svg>\s*$/s);
});

test("in another realm, where Node's errors are no instances of Error (as in Jest)", async () => {
  await bundle('cjs', inUser('realm-bundle.cjs'));
  // What jest-environment-node gives a test's context of the outer one.
  await write(
    'realm.cjs',
    `const { createContext, runInContext } = require('node:vm');
    const { readFileSync } = require('node:fs');
    const file = require.resolve('./realm-bundle.cjs');
    const { ArrayBuffer, Uint8Array, Buffer, URL, TextDecoder, TextEncoder, performance, structuredClone } = globalThis;
    const { setTimeout, clearTimeout, setImmediate, queueMicrotask, AbortSignal, Blob, File, atob, console, process } = globalThis;
    const context = createContext({ ArrayBuffer, Uint8Array, Buffer, URL, TextDecoder, TextEncoder, performance, structuredClone,
      setTimeout, clearTimeout, setImmediate, queueMicrotask, AbortSignal, Blob, File, atob, console, process });
    const missing = Object.entries({ dispose: Symbol.dispose, asyncDispose: Symbol.asyncDispose });
    runInContext('(missing) => missing.forEach(([name, symbol]) => { Symbol[name] ??= symbol; })', context)(missing);
    const wrapped = '(function (require, module, exports, __filename) {' + readFileSync(file, 'utf8') + '\\n})';
    const module_ = { exports: {} };
    runInContext(wrapped, context)(require, module_, module_.exports, file);`,
  );
  expect(await run('realm.cjs', JPEG)).toEqual(expected);
});

const IMPORTS = `
import { ClipModel, CpuBackend, Engine, findAdapter, InputError, type Mode, type TensorData, tuningOptions } from 'ptdpc';
import * as demo from 'ptdpc/demo';
import { float32FromHalf } from 'ptdpc/kernels';
import * as lab from 'ptdpc/lab';
import * as clip from 'ptdpc/clip';
import * as tensor from 'ptdpc/tensor';
const mode: Mode = 'both';
export const numbers: Float32Array = float32FromHalf(new Uint16Array(2));
export const data: TensorData = numbers;
export const uses = [ClipModel, new Engine(new CpuBackend()), findAdapter, InputError, tuningOptions('paper', { mode }), demo, lab, clip, tensor];
// @ts-expect-error: declarations are found, and not any.
export const wrong: string = uses;
`;
const NODE_IMPORTS = `${IMPORTS}import { openDevice, tunePrompts, writeRunReport } from 'ptdpc/node';\nexport { openDevice, tunePrompts, writeRunReport };\n`;

const NODE = { types: ['node'], lib: ['es2022'] };
const OLD = { ...NODE, module: 'commonjs', moduleResolution: 'node' };
const DOM = { module: 'esnext', moduleResolution: 'bundler', types: [], lib: ['es2022', 'dom'] };

const TODAY = join(ROOT, 'node_modules/typescript/lib/tsc.js');
/** `.ci/run` fetches TypeScript 5.4, the oldest that our declarations are for: two versions cannot be installed side by side here. */
const OLDEST = process.env.PTDPC_OLDEST_TYPESCRIPT;

const COMPILATIONS: [name: string, compiler: string, file: string, options: object][] = [
  ['of today, CommonJS in Node', TODAY, 'user.cts', { ...NODE, module: 'nodenext' }],
  ['of today, a page', TODAY, 'page.ts', DOM],
];
if (OLDEST) COMPILATIONS.push(['5.4, CommonJS in Node with the old module resolution', OLDEST, 'user.ts', OLD]);

/** Without skipLibCheck: every declaration that is reached is checked too. */
describe.each(COMPILATIONS)('TypeScript %s', (_, compiler, file, options) => {
  test('the types are there and sound', async () => {
    await write(file, file === 'page.ts' ? IMPORTS : NODE_IMPORTS);
    const compilerOptions = { noEmit: true, strict: true, target: 'es2022', skipLibCheck: false, ...options };
    await write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }));
    const { stdout } = await execute(process.execPath, [compiler, '-p', 'tsconfig.json'], { cwd: user }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });
});

test('no declaration needs TypeScript 5.7, where typed arrays became generic', async () => {
  const folder = inUser('node_modules/ptdpc/dist');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.d.ts'));
  expect(names.length).toBeGreaterThan(200);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  expect(names.filter((_, i) => /\b(?:(?:Ui|I|BigI|BigUi)nt|Float)\d+Array</.test(texts[i]!))).toEqual([]);
});
