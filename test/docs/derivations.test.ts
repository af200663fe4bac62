/**
 * The pages on derivations, memory and operations: their programs run and print what the page says, the lines that they quote are in the sources,
 * and the messages that they explain are what the engine throws.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CpuBackend } from '../../src/kernels/index.js';
import { affine, Engine, feedForward, linear, mean } from '../../src/tensor/index.js';

const root = new URL('../..', import.meta.url).pathname;
const folder = 'docs/kernels/derivations';
const derivations = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
const MEMORY = 'docs/memory.md';
const OPERATIONS = 'docs/tensor-operations.md';

interface Fence {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

function fencesOf(page: string): Fence[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    page,
    language: language!,
    text: text!,
  }));
}

const fences = [...derivations, MEMORY, OPERATIONS].flatMap(fencesOf);
/** A program starts with its imports, and what it prints follows. */
const isProgram = ({ text }: Fence): boolean => text.startsWith('import ');
const programs = fences.flatMap((fence, i) =>
  isProgram(fence) ? { name: `${fence.page}, program at fence ${i}`, text: fence.text, printed: fences[i + 1] } : [],
);

describe('programs', () => {
  let scratch: string;

  beforeAll(async () => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    scratch = mkdtempSync(join(root, '.cache/documented-'));
    programs.forEach(({ text }, i) => {
      writeFileSync(join(scratch, `${i}.ts`), text);
    });
    await build({
      entryPoints: programs.map((_, i) => join(scratch, `${i}.ts`)),
      bundle: true,
      splitting: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      packages: 'external',
      alias: {
        'ptdpc/kernels': join(root, 'src/kernels/index.ts'),
        'ptdpc/tensor': join(root, 'src/tensor/index.ts'),
      },
      outExtension: { '.js': '.mjs' },
      outdir: scratch,
      logLevel: 'silent',
    });
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('are on every page', () => {
    for (const page of [...derivations, MEMORY]) expect(fencesOf(page).some(isProgram), page).toBe(true);
  });

  it.each(programs.map(({ name }, i) => [name, i] as const))('%s prints what follows it', (_, i) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(scratch, `${i}.mjs`)], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(programs[i]!.printed).toEqual({ page: expect.any(String), language: 'txt', text: stdout });
  });
});

describe('quoted lines', () => {
  /** All lines below a folder, without their indentation. */
  const linesOf = (path: string, extension: string): Set<string> =>
    new Set(
      readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(extension) && !name.includes('.generated.'))
        .flatMap((name) => readFileSync(join(root, path, name), 'utf8').split('\n'))
        .map((line) => line.trim()),
    );
  const sources: Readonly<Record<string, Set<string>>> = {
    ts: linesOf('src', '.ts'),
    wgsl: linesOf('shaders', '.wgsl'),
  };

  it.each(derivations)('%s quotes the sources as they are', (page) => {
    const quoted = fencesOf(page).filter((fence) => fence.language in sources && !isProgram(fence));
    const missing = quoted.flatMap(({ language, text }) =>
      text.split('\n').filter((line) => !sources[language]!.has(line.trim())),
    );
    expect(quoted.length).toBeGreaterThan(5);
    expect(missing).toEqual([]);
  });
});

describe('messages', () => {
  const engine = new Engine(new CpuBackend());
  const parameter = () => engine.parameter([1, 2], [1, 2]);
  const frozen = () => engine.tensor([1, 2], [2]);
  const afterDisposal = () => {
    const tensor = engine.zeros([2, 3]);
    tensor.dispose();
    affine(tensor, 2);
  };
  const ended = () => engine.withTape((tape) => ({ tape, y: mean(affine(parameter(), 2)) }));
  const twice = () =>
    engine.withTape((tape) => {
      const y = mean(affine(parameter(), 2));
      tape.backward(y);
      tape.backward(y);
    });
  const onEndedTape = () => {
    const { y } = ended();
    engine.withTape(() => affine(y, 2));
  };
  const faults: Readonly<Record<string, () => unknown>> = {
    'tensor [2, 3] was used after it was disposed': afterDisposal,
    'scope: expected a synchronous function, found one that returns a promise; await before or after it': () =>
      engine.scope(async () => {}),
    'a tape is open already': () => engine.withTape(() => engine.withTape(() => {})),
    'backward from a tensor that depends on no parameter': () =>
      engine.withTape((tape) => tape.backward(mean(frozen()))),
    'backward from a tensor of shape [1, 2], which is no scalar, needs a gradient': () =>
      engine.withTape((tape) => tape.backward(affine(parameter(), 2))),
    'backward was called on this tape already; open another with withTape': twice,
    'backward: the tape has ended; call it inside withTape': () => {
      const { tape, y } = ended();
      tape.backward(y);
    },
    'a tensor was computed on a tape that has ended: compute it inside this withTape, or read it and make a frozen one':
      onEndedTape,
    'feedForward has no gradient for its weights; use linear': () =>
      feedForward(
        frozen(),
        { weight1: parameter(), bias1: frozen(), weight2: frozen(), bias2: frozen(), activation: 'gelu' },
        frozen(),
      ),
    'linear: expected weight [n, 2], found [2]': () => linear(parameter(), frozen()),
    '3 values for a tensor of shape [2, 2]': () => engine.tensor([1, 2, 3], [2, 2]),
  };
  const rows = [...readFileSync(join(root, MEMORY), 'utf8').matchAll(/^\| `([^`]+)` \| /gm)].map(([, text]) => text!);

  it.each(Object.keys(faults))('%s', (message) => {
    expect(rows).toContain(message);
    expect(faults[message]!).toThrow(new Error(message));
  });

  it('the table explains no others', () => {
    const section = readFileSync(join(root, MEMORY), 'utf8').split('\n## Errors')[1]!.split('\n## ')[0]!;
    const explained = [...section.matchAll(/^\| `([^`]+)` \| /gm)].map(([, text]) => text!);
    expect(explained).toEqual(Object.keys(faults));
  });
});
