/** What a user's WGSL file is told before any compiler sees it. */

import { describe, expect, it } from 'vitest';
import { type AnyArgs, allKernels, caseOf, kernelNamed, kernels, sizedArgs } from '../../src/kernels/index.js';
import { bindingContract, launchUserKernel, readUserKernel, starterText, variantNames } from '../../src/lab/index.js';

const softmax = starterText(kernelNamed('softmax'));
const read = (text: string) => readUserKernel(kernelNamed('softmax'), 'mine.wgsl', text);

describe('a file against the contract', () => {
  it('each starting file keeps it', () => {
    for (const kernel of allKernels()) {
      for (const variant of variantNames(kernel)) {
        const user = readUserKernel(kernel, 'mine.wgsl', starterText(kernel, variant));
        expect(user.interface.bindings.length, `${kernel.name} ${variant}`).toBeGreaterThan(0);
      }
    }
  });

  it('names what is wrong, and what there is instead', () => {
    expect(() => read(softmax.replace('fn main(', 'fn softmax('))).toThrow(
      'mine.wgsl: expected an entry point main, found none',
    );
    expect(() => read(softmax.replace('  columns: u32,', '  width: u32,'))).toThrow(
      'mine.wgsl: struct Params has width; softmax gives rows, columns',
    );
    expect(() => read(softmax.replace('> out:', '> result:'))).toThrow(
      /^mine.wgsl: it binds result; softmax has x, .*out/,
    );
    expect(() => read(softmax.replace('var<storage, read> x:', 'var<storage, read_write> x:'))).toThrow(
      'mine.wgsl: it binds x as read_write; expected read',
    );
    expect(() => read(softmax.replace('@binding(1)', '@binding(9)'))).toThrow(
      /^mine.wgsl: storage bindings must be numbered from 1 without a gap/,
    );
    expect(() => read(softmax.replace(/.*lab: covers.*/, ''))).toThrow(
      "mine.wgsl: expected a line `// lab: covers NUMBER` (row), a workgroup's share; found none",
    );
    expect(() => read(softmax.replace('covers 1', 'covers 4 x 4'))).toThrow(
      'mine.wgsl: expected `// lab: covers NUMBER` (row), found "4 x 4"',
    );
    expect(() => read(`${softmax}\n// lab: needs columns < 9`)).toThrow(
      'mine.wgsl: expected a need such as "n % 8 == 0" or "k >= 8", found "columns < 9"',
    );
  });

  it('what is not understood is refused by name, not passed over', () => {
    for (const [part, by, message] of [
      ['  columns: u32,', '  columns: i32,', 'struct Params: expected NAME: u32 or NAME: f32, found "columns: i32"'],
      ['  columns: u32,', '  columns: vec2<u32>,', 'found "columns: vec2<u32>"'],
      ['  columns: u32,', '  @align(16) columns: u32,', 'found "@align(16) columns: u32"'],
      ['@group(0) @binding(1)', '@group(1) @binding(1)', 'expected @group(0) and @binding(NUMBER), found @group(1)'],
      ['@group(0) @binding(1)', '@binding(1)', 'expected @group(0) and @binding(NUMBER), found @binding(1) var'],
      ['@group(0) @binding(1)', '@group(0) @binding(1 + 0)', 'found @group(0) @binding(1 + 0) var'],
      [
        'var<storage, read> x: array<f32>',
        'var x: texture_2d<f32>',
        'or Params at binding 0, found @group(0) @binding(1) var x',
      ],
      [
        '@binding(0) var<uniform>',
        '@binding(6) var<uniform>',
        'or Params at binding 0, found @group(0) @binding(6) var<uniform>',
      ],
      ['struct Params', '@id(3) override WIDTH: u32 = 1;\nstruct Params', 'found @id'],
    ] as const) {
      expect(softmax, part).toContain(part);
      const refused = () => read(softmax.replace(part, by));
      expect(refused, by).toThrow(/^mine.wgsl: /);
      expect(refused, by).toThrow(message);
    }
  });

  it('attributes may stand in either order, and comments in comments', () => {
    const text = softmax
      .replace('@group(0) @binding(1)', '@binding(1) @group(0)')
      .replace('  rows: u32,', '  rows: u32, /* more: /* a: f32, */ b: f32, // */');
    expect(read(text).interface).toEqual(read(softmax).interface);
  });

  it('declarations in comments do not count, and other ways of writing them do', () => {
    const text = softmax
      .replace(
        '@group(0) @binding(1) var<storage, read> x',
        '// @binding(1) var<storage, read> y: u32;\n@group(0) @binding( 1u )\nvar < storage,read > x',
      )
      .replace('  rows: u32,', '  rows: u32, /* more: f32, */');
    expect(read(text).interface).toEqual(read(softmax).interface);
  });

  it('tells which entry point, parameters and buffers a kernel has', () => {
    expect(bindingContract(kernelNamed('compose'))).toMatchObject({
      entryPoint: 'compose',
      params: [{ name: 'batch' }, { name: 'classes' }, { name: 'tokens' }, { name: 'width' }],
      bindings: [
        { name: 'weights', access: 'read' },
        { name: 'prompts', access: 'read' },
        { name: 'out', access: 'read_write' },
      ],
    });
  });
});

describe('a case that a file does not take', () => {
  const text = starterText(kernelNamed('matmul'));
  const launch = (source: string, sizes: Record<string, number>) => {
    const args = sizedArgs(caseOf(kernels.matmul, { m: 33, n: 40, k: 8, ...sizes }));
    return launchUserKernel(readUserKernel(kernelNamed('matmul'), 'mine.wgsl', source), args as AnyArgs, {
      subgroupSize: 8,
      features: [],
    });
  };

  it('is left out with the reason', () => {
    const single = text
      .replace('override HALF_B: bool = false;', 'const HALF_B = false;')
      .replace('b: array<u32>', 'b: array<f32>');
    expect(launch(single, { half: 1 })).toBe('it reads b in single precision');
    const halves = text.replace('override HALF_B: bool = false;', 'const HALF_B = true;');
    expect(launch(halves, {})).toBe('it reads b in half precision');
    expect(launch(text.replaceAll('HAS_BIAS', 'BIASED'), { bias: 1 })).toBe('it has no constant HAS_BIAS');
    expect(launch(`${text}\n// lab: needs n % 16 == 0`, {})).toBe('it needs n % 16 == 0');
    expect(launch(`${text}\n// lab: needs transposeA == 0, n % 8 == 0`, { transposeA: 1 })).toBe(
      'it needs transposeA == 0',
    );
  });

  it('otherwise the grid follows from the share of a workgroup', () => {
    // Only what it declares, since launching goes by name.
    const plain = text.replace('  alpha: f32,', '').replaceAll('params.alpha', '1.0');
    expect(launch(plain, {})).toHaveProperty('params', { m: 33, n: 40, k: 8 });
    expect(launch(text, {})).toMatchObject({ shader: { text }, workgroups: [3, 3], params: { m: 33, n: 40, k: 8 } });
    expect(launch(text.replace('covers 16 x 16', 'covers 8 x 32'), {})).toMatchObject({ workgroups: [2, 5] });
  });
});

it('an unknown variant to start from is refused by name', () => {
  expect(() => starterText(kernelNamed('matmul'), 'fastest')).toThrow(
    '--from fastest: matmul has naive, registers, tiled, fewRows, blocks32x32, blocks64x64, blocks128x64, halves, splitK, matrices, matrixHalves, subgroup',
  );
});
