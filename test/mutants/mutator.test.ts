/** The mutator: what it plants, that it plants the same again, and what becomes of the list of equivalent mutants. */
import { describe, expect, it } from 'vitest';
import { chosenMutants } from '../../mutate/choose.js';
import { type Entry, entriesFor, readEquivalents, staleIn } from '../../mutate/equivalent.js';
import type { Verdict } from '../../mutate/judge.js';
import { KINDS, type Kind, mutationsOf, type Names } from '../../mutate/mutator.js';
import { countOf, fillPage, scoreOf } from '../../mutate/report.js';
import { allShaders, mutantsOf, withFault } from '../../mutate/shader.js';

const NONE: Names = { params: [], buffers: [] };

/** Faults of a kind in a function's body. */
function planted(kind: Kind, body: string, names = NONE): string[] {
  const text = `fn f() { ${body} }`;
  return mutationsOf(text, names)
    .filter((mutation) => mutation.kind === kind)
    .map((mutation) => withFault({ text }, mutation).slice(9, -2));
}

describe('mutations', () => {
  it.each<[Kind, string, string[], Names?]>([
    ['arithmetic', 'let a = b + -c;', ['let a = b - -c;']],
    ['arithmetic', 'let a = b % 2u * c;', ['let a = b / 2u * c;', 'let a = b % 2u / c;']],
    ['arithmetic', 'a *= b;', ['a /= b;']],
    ['comparison', 'let a = b == c;', ['let a = b != c;']],
    ['comparison', 'let a = b < c;', ['let a = b >= c;']],
    ['bound', 'if (a < b[c]) {}', ['if (a <= b[c]) {}', 'if (a < b[c] - 1) {}']],
    ['bound', 'let a = b > c && d;', ['let a = b >= c && d;', 'let a = b > c + 1 && d;']],
    ['logic', 'if (a && !b) {}', ['if (true) {}', 'if (false) {}', 'if (a || !b) {}', 'if (a && b) {}']],
    ['index', 'a[b + c].x = d;', ['a[(b + c) + 1].x = d;', 'a[(b + c) - 1].x = d;']],
    ['index', 'for (var i = 0u; true; i++) {}', ['for (var i = 0u; true; i += 2) {}']],
    ['component', 'let a = b.x + c.zw;', ['let a = b.y + c.zw;', 'let a = b.x + c.xy;']],
    ['constant', 'let a = b + 0u;', ['let a = b + 1u;']],
    ['constant', 'let a = b * 64u;', ['let a = b * 63u;', 'let a = b * 65u;']],
    ['constant', 'let a = 0.5 * b;', ['let a = 1.0 * b;', 'let a = 0.5005 * b;']],
    ['initialiser', 'var a = -3.0e38;', ['var a = -0.0;']],
    [
      'accumulation',
      'a[i] += b * c;',
      ['a[i] = b * c;', 'a[i] = quantizeToF16(a[i] + b * c);', 'a[i] += quantizeToF16(b * c);'],
    ],
    ['function', 'let a = min(b, c(d, e));', ['let a = max(b, c(d, e));', 'let a = (b);']],
    ['function', 'let a = select(b, c, d);', ['let a = select(c, b, d);']],
    ['parameter', 'let a = params.m;', ['let a = params.n;'], { params: [['m', 'n']], buffers: [] }],
    [
      'operand',
      'let a = k[0] + v[0];',
      ['let a = v[0] + v[0];', 'let a = k[0] + k[0];'],
      { params: [], buffers: [['k', 'v']] },
    ],
    ['statement', 'if (a) { b = c; return; } d(e);', ['if (a) {  return; } d(e);', 'if (a) { b = c; return; } ']],
    ['barrier', 'workgroupBarrier(); a = b;', [' a = b;']],
  ])('%s in %s', (kind, body, expected, names) => {
    expect(planted(kind, body, names)).toEqual(expected);
  });

  it('leave comments, types, declarations of memory and what the host gives alone', () => {
    const text = [
      '// 1 + 2',
      'enable subgroups;',
      'struct Params { a: array<u32, 4> }',
      'override FLAG: bool = false;',
      'var<workgroup> memory: array<vec4<f32>, 64 * 2>;',
      'fn f(a: array<f32, 3>) -> vec4<f32> { /* 3 */ return vec4<f32>(); }',
    ].join('\n');
    expect(mutationsOf(text, NONE)).toEqual([]);
  });

  it('halve workgroups, and change constants of a shader', () => {
    const text = 'const A = 2u;\noverride B: u32 = A / 4u;\n@compute @workgroup_size(64) fn f() {}';
    expect(mutationsOf(text, NONE).map((one) => withFault({ text }, one).replace(/\n/g, ' '))).toEqual(
      [
        ['A = 2u', 'A = 1u'],
        ['A = 2u', 'A = 3u'],
        ['A / 4u', 'A * 4u'],
        ['4u', '3u'],
        ['4u', '5u'],
        ['64', '32'],
      ].map(([from, to]) => text.replace(from!, to!).replace(/\n/g, ' ')),
    );
  });
});

describe('the mutants of the shaders', () => {
  const shaders = allShaders();

  it('are of all kinds and every shader that does something, a thousand and more', () => {
    const mutants = shaders.flatMap(mutantsOf);
    expect(mutants.length).toBeGreaterThan(4000);
    expect(new Set(mutants.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    // Nothing but declarations and what other files have.
    const without = shaders.filter((shader) => mutantsOf(shader).length === 0);
    expect(without.filter(({ text }) => /\bfn \w+/.test(text)).map(({ name }) => name)).toEqual([]);
    expect(shaders.filter(({ users }) => users.length === 0)).toEqual([]);
  });

  it('can be told apart', () => {
    const mutants = shaders.flatMap(mutantsOf);
    expect(new Set(mutants.map(({ shader, id }) => `${shader} ${id}`)).size).toBe(mutants.length);
  });

  it('are chosen by seed and count alone, fewer among more', () => {
    const ids = (count: number, seed: number) =>
      chosenMutants(shaders, count, seed).map(({ shader, id }) => `${shader} ${id}`);
    const some = ids(1000, 1);
    expect(some.length).toBeGreaterThanOrEqual(1000);
    expect(ids(1000, 1)).toEqual(some);
    expect(ids(1000, 2)).not.toEqual(some);
    const more = new Set(ids(1500, 1));
    expect(some.filter((id) => !more.has(id))).toEqual([]);
  });

  it('are listed as equivalent only as long as they are there', async () => {
    const path = new URL('equivalent.json', import.meta.url).pathname;
    const entries = await readEquivalents(path);
    expect(staleIn(entries, shaders)).toEqual([]);
    const gone: Entry = {
      shader: 'softmax',
      kind: 'equivalent',
      reason: 'a line that there was once',
      mutants: ['a => b'],
    };
    expect(staleIn([...entries, gone], shaders)).toEqual(['softmax: a => b']);
  });
});

it('the page has the tables of each adapter between its own marks', () => {
  const page = (one: string, other: string) =>
    `before\n<!-- begin mutants: one -->\n${one}\n<!-- end -->\nbetween\n<!-- begin mutants: other -->\n${other}\n<!-- end -->\nafter`;
  expect(fillPage(page('a', 'b'), 'new', 'the other adapter')).toBe(page('a', 'new'));
  expect(() => fillPage(page('a', 'b'), 'new', 'a third')).toThrow('a part of "a third"');
});

it('an entry holds on the adapter that it names only, and what does not run is not counted', () => {
  const [mutant] = mutantsOf(allShaders()[0]!);
  const { shader, id } = mutant!;
  const named: Entry = {
    shader,
    kind: 'undetectable',
    adapter: 'four lanes',
    reason: 'one row a subgroup',
    mutants: [id],
  };
  expect(entriesFor([named], 'an adapter with four lanes')).toEqual([named]);
  expect(entriesFor([named], 'an adapter with eight')).toEqual([]);
  const of = (outcome: 'not run' | 'survived') => {
    const verdict: Verdict = outcome === 'survived' ? { outcome, cases: 3 } : { outcome };
    return countOf('one', [{ mutant: mutant!, verdict, text: '' }], []);
  };
  expect(of('not run')).toMatchObject({ mutants: 1, notRun: 1, survived: 0 });
  expect([scoreOf(of('not run')), scoreOf(of('survived'))]).toEqual([1, 0]);
});
