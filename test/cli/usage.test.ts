/** What the frame does for every command: help, usage errors, exit codes. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { build, transform } from 'esbuild';
import { describe, expect, test, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { printEvaluation } from '../../src/cli/evaluation.js';
import { tooOld } from '../../src/cli/node-version.js';
import { printJson } from '../../src/cli/output.js';
import { evaluate } from '../../src/ptdpc/index.js';
import { expectRefused, fixture, outcomeOf, programPath, ptdpc, setUpProgram, startPtdpc } from './program.js';

setUpProgram();

test('--help lists every command, --version is the package version', async () => {
  const help = await ptdpc(['--help']);
  expect([help.code, help.stderr]).toEqual([0, '']);
  for (const { name, summary } of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  const packageJson = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as object;
  expect((await ptdpc(['--version'])).stdout.trim()).toBe(Reflect.get(packageJson, 'version'));
});

test('without a command there is help, on standard error, and a non-zero exit code', async () => {
  const { code, stdout, stderr } = await ptdpc([]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: ptdpc/);
});

describe.each(COMMANDS.map(({ name }) => name))('%s', (name) => {
  test('has help with examples', async () => {
    const { code, stdout, stderr } = await ptdpc([name, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: ptdpc ${name} `));
    expect(stdout).toMatch(new RegExp(`\nExamples:\n  # .+\n  \\$ npx ptdpc ${name}`));
    expect((await ptdpc(['help', name])).stdout).toBe(stdout);
  });
});

/** The source files that a command loads before it runs, by static imports. */
async function loadedBy(commands: readonly string[]): Promise<Map<string, string[]>> {
  const { metafile } = await build({
    ...{ entryPoints: commands.map((name) => `src/cli/${name}.ts`), outdir: 'unused', write: false, metafile: true },
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'silent' },
    absWorkingDir: new URL('../..', import.meta.url).pathname,
  });
  const closure = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { kind, path: next } of metafile.inputs[path]?.imports ?? [])
      if (kind === 'import-statement') closure(next, seen);
    return seen;
  };
  return new Map(commands.map((name) => [name, [...closure(`src/cli/${name}.ts`)]]));
}

test('the help of a command does not load the engine; that of the laboratory lists the kernels', async () => {
  const loaded = await loadedBy(COMMANDS.map(({ name }) => name));
  const engine = /^src\/(kernels\/cpu|tensor|clip\/towers)\//;
  const loading = [...loaded].filter(([, paths]) => paths.some((path) => engine.test(path))).map(([name]) => name);
  expect(loading).toEqual(['lab']);
});

test('a Node that is too old is refused in one line, before anything that it cannot read is loaded', async () => {
  for (const version of ['16.20.2', '18.20.8', '20.18.1', '22.11.0'])
    expect(tooOld(version)).toBe(`ptdpc needs Node 22.12 or later; this is v${version}`);
  for (const version of ['22.12.0', '24.1.0', '25.0.0-nightly', process.versions.node])
    expect(tooOld(version)).toBeUndefined();
  const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string };
  };
  expect(engines.node).toBe('>=22.12');
  expect((await loadedBy(['main'])).get('main')).toEqual(['src/cli/main.ts', 'src/cli/node-version.ts']);
  // As TypeScript writes them for the package, they parse where nothing newer is known.
  for (const name of ['main', 'node-version']) {
    const source = await readFile(new URL(`../../src/cli/${name}.ts`, import.meta.url), 'utf8');
    const { code } = await transform(source, { loader: 'ts', target: 'es2022', format: 'esm' });
    expect((await transform(code, { target: 'node16', format: 'esm' })).code).toBe(code);
  }
});

test('the help gives the choices of an option, then its default', async () => {
  const train = (await ptdpc(['train', '--help'])).stdout.replace(/\s+/g, ' ');
  for (const text of [
    '(choices: "skip", "read", default: skip)',
    '(choices: "auto", "webgpu", "cpu", default: "auto")',
    '(choices: "cosine", "half", default: the preset\'s)',
    "passes over the training images (default: the preset's; coop, prograd, ",
    "by validation (default: the preset's; coop, cocoop, kgcoop, prograd, ",
    "also learn the start-of-text token (default: the preset's)",
    'docs/method.md#options',
  ])
    expect(train).toContain(text);
  expect((await ptdpc(['probe', '--help'])).stdout).not.toContain('initial noise');
  const lab = (await ptdpc(['lab', 'run', '--help'])).stdout.replace(/\s+/g, ' ');
  expect(lab).toContain('(default: what `npx ptdpc lab list <kernel>` shows)');
  const zeroshot = (await ptdpc(['zeroshot', '--help'])).stdout.replace(/\s+/g, ' ');
  expect(zeroshot).toContain('(default: a photo seems to express a feeling of)');
});

test('errors are marked in colour, never under NO_COLOR nor in a pipe', async () => {
  const stderrOf = async (env: NodeJS.ProcessEnv) =>
    (await ptdpc(['polish'], { FORCE_COLOR: undefined, ...env })).stderr;
  const line = "unknown command 'polish'";
  expect(await stderrOf({ FORCE_COLOR: '1' })).toMatch(`\u001b[31mptdpc:\u001b[39m ${line}`);
  for (const env of [{}, { NO_COLOR: '1' }]) expect(await stderrOf(env)).toMatch(`ptdpc: ${line}`);
});

test('what is used wrongly is named', async () => {
  const model = ['--model', fixture('clip-tiny')];
  const embed = ['embed', 'x.png', '--out', 'y', ...model];
  await expectRefused(['polish'], /unknown command 'polish'/);
  await expectRefused([...embed, '--colour'], /unknown option '--colour'/);
  await expectRefused(
    ['embed', 'x.png', ...model],
    /^ptdpc: --out <file>: missing; npx ptdpc embed --help has the options$/,
  );
  await expectRefused(
    ['embed', '--out', 'y', ...model],
    /^ptdpc: <images>: missing; npx ptdpc embed --help has the options$/,
  );
  await expectRefused(
    [...embed, '--device', 'tpu'],
    /'--device <device>' argument 'tpu' is invalid.* auto, webgpu, cpu/,
  );
  await expectRefused([...embed, '--memory', 'much'], /'--memory <size>' argument 'much' is invalid\. Expected a size/);
  await expectRefused(
    [...embed, '--memory', '0'],
    /'--memory <size>' argument '0' is invalid\. Expected a size with its unit/,
  );
  await expectRefused(['preprocess', 'x', '--out', 'y', '--size', '1.5'], /'--size <pixels>'.*whole number from 1/);
  await expectRefused(
    ['random-model', '--out', 'y', '--arch', 'RN50'],
    /'--arch <name>'.*ViT-B\/32, ViT-B\/16, ViT-L\/14/,
  );
  await expectRefused(
    ['random-model', '--out', 'y', '--arch', 'ViT-B/32', '--seed', '-1'],
    /'--seed <n>' argument '-1' is invalid/,
  );
});

test('a reader that leaves early is no error', async () => {
  const child = startPtdpc(['train', '--help']);
  child.stdout.destroy();
  expect(await outcomeOf(child)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});

test.skipIf(!existsSync('/dev/full'))('a full disk under standard output is one line', async () => {
  for (const args of [
    ['doctor', '--json'],
    ['tokenize', '--model', new URL('../../assets/demo-model', import.meta.url).pathname, '--json', 'joy'],
    ['lab', 'list'],
  ]) {
    const child = spawn('sh', ['-c', 'exec "$0" "$@" >/dev/full', process.execPath, programPath(), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { code, stderr } = await outcomeOf(child);
    expect([code, stderr.split('\n').filter((line) => line.startsWith('ptdpc: '))], args[0]).toEqual([
      2,
      ['ptdpc: standard output: cannot be written (no space left on the disk)'],
    ]);
  }
});

test('--profile is an option of whatever opens a device, of commands of commands too', async () => {
  for (const args of [['train'], ['experiment', 'table2'], ['experiment', 'run']])
    for (const option of ['--profile [file]', '--trace <file>'])
      expect((await ptdpc([...args, '--help'])).stdout, args.join(' ')).toContain(option);
  for (const args of [
    ['experiment', 'collect'],
    ['lab', 'run'],
  ])
    expect((await ptdpc([...args, '--help'])).stdout, args.join(' ')).not.toContain('--profile [file]');
});

test('names break no line and steer no terminal, on standard output', () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const classes = [
      { folder: 'a', word: 'a\n\u001b[31mred' },
      { folder: 'b', word: '\u202eb' },
    ];
    printEvaluation('test\n', classes, evaluate(new Float32Array([1, 0, 0, 1]), new Int32Array([0, 1]), 2));
    printJson({ name: '\u202e\u009b' });
  } finally {
    write.mockRestore();
  }
  const text = written.join('');
  expect(text).toMatch(/^a\\u000a\\u001b\[31mred +1 +0/m);
  expect(text).toContain('\\u202eb');
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  expect(JSON.parse(text.slice(text.lastIndexOf('{')))).toEqual({ name: '\u202e\u009b' });
});
