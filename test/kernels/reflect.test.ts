/** What a user's WGSL declares: read in one pass, whatever the text holds. */
import { expect, it } from 'vitest';
import { reflectShader, reflectTokens } from '../../src/kernels/webgpu/reflect.js';
import { type Token, tokensOf, withoutComments } from '../../src/kernels/webgpu/wgsl-text.js';

const SHADER = `
  /* a comment /* in another */ @group(0) @binding(9) */
  struct Params { rows: u32, first_scale : f32, } // struct Params { other: u32 }
  override WIDTH: u32 = 4;
  override HEIGHT = 2;
  @group(0) @binding(0) var<uniform> params: Params;
  @binding(2) @group(0u) var<storage, read_write> out: array<vec4<f32>>;
  @group(0)
  @binding(1) var<storage> x: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { var i: u32 = id.x; }
`;

it('reads parameters, bindings and constants', () => {
  expect(reflectShader(SHADER)).toEqual({
    params: [
      { name: 'rows', argument: 'rows', type: 'u32' },
      { name: 'first_scale', argument: 'firstScale', type: 'f32' },
    ],
    bindings: [
      { name: 'x', argument: 'x', access: 'read' },
      { name: 'out', argument: 'out', access: 'read_write' },
    ],
    constants: new Set(['WIDTH', 'HEIGHT']),
  });
});

it('refuses what it would have to leave out', () => {
  const declared = (text: string) => () => reflectShader(text);
  expect(declared('@group(0) @binding(1) var<storage> x = 1;')).toThrow('expected every @group and @binding');
  expect(declared('@a(@group(0) @binding(1)) var<storage> x: f32;')).toThrow('expected every @group and @binding');
  expect(declared('@group(0) @binding(1) fn f() {}')).toThrow('expected every @group and @binding');
  expect(declared('@group(0) @binding(1) var<storage> x: f32 @group(0) @binding(2) var<storage> y: f32;')).toThrow(
    'expected every @group and @binding',
  );
  expect(declared('@group(0) @binding(1 + 1) var<storage>  x: f32;')).toThrow(
    'expected @group(0) and @binding(NUMBER), found @group(0) @binding(1 + 1) var<storage> x: f32;',
  );
  expect(declared('@group(0) @binding(1) var<private> x: f32;')).toThrow('expected a storage buffer');
  expect(declared('@group(0) @binding(2) var<storage> x: f32;')).toThrow('without a gap: @group(0) @binding(2) var');
  expect(declared('@id(1) override x: u32;')).toThrow('found @id');
  expect(declared('struct Params { x: vec2f }')).toThrow('found "x: vec2f"');
});

it('ends comments where WGSL ends them', () => {
  expect(withoutComments('a/* // */b')).toBe('a b');
  expect(withoutComments('a/*//*/b*/c*/d')).toBe('a d');
  expect(withoutComments('a//*\nb// c\u2028d/*')).toBe('a\nb\u2028d');
  expect(withoutComments('a / b * c')).toBe('a / b * c');
});

/** Texts that make an expression with backtracking begin again at every repetition. */
const HOSTILE: readonly ((times: number) => string)[] = [
  (times) => '@a '.repeat(times),
  (times) => '@a('.repeat(times),
  (times) => '@a var<'.repeat(times),
  (times) => '@a var x: f32 '.repeat(times),
  (times) => `${'@a var x: y '.repeat(times)};`,
  (times) => `${'@a var x: f32 = '.repeat(times)};`,
  (times) => 'struct Params {'.repeat(times),
  (times) => 'override x '.repeat(times),
  (times) => '@a var<storage> x: f32 > '.repeat(times),
];

/** How often a token is looked at. */
function looks(text: string): number {
  let count = 0;
  const tokens = new Proxy(tokensOf(text), {
    get: (target, key) => {
      if (key !== 'length') count++;
      return Reflect.get(target, key) as Token;
    },
  });
  try {
    reflectTokens(text, tokens);
  } catch {
    // Refused is as good as read.
  }
  return count;
}

it.each(HOSTILE.map((make) => [make(2), make] as const))('takes time in proportion to a text of %j', (_, make) => {
  const [once, twice, four] = [1000, 2000, 4000].map((times) => looks(make(times)));
  expect(twice).toBeLessThan(2.1 * once! + 100);
  expect(four).toBeLessThan(4.2 * once! + 100);
});

it('reads megabytes of comments, spaces and brackets, which is impossible in quadratic time', () => {
  const { user } = process.cpuUsage();
  for (const part of ['/*', '*/', '//', '\n', ' ', '@group(0 ', '@', '(', '/* // */']) {
    const text = part.repeat(2 ** 20);
    withoutComments(text);
    try {
      reflectShader(text);
    } catch {
      // As above.
    }
  }
  // Microseconds: minutes would not do for quadratic time.
  expect(process.cpuUsage().user - user).toBeLessThan(60e6);
});
