/** `ptdpc lab`, as a user runs it: a file written, broken, mended and made faster. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { printTimings } from '../../src/cli/lab/page.js';
import { allKernels, kernelNamed } from '../../src/kernels/index.js';
import { expectRefused, outcomeOf, ptdpc, ptdpcJson, scratchPath, setUpProgram, startPtdpc } from './program.js';

setUpProgram();

const SIZES = ['--shape', 'm=16,n=16,k=8'];

it('writes a file to start from, and never over another', async () => {
  const { code, stdout, stderr } = await ptdpc(['lab', 'new', 'matmul']);
  expect([code, stdout]).toEqual([0, 'matmul.wgsl\n']);
  expect(stderr).toBe('now: npx ptdpc lab run matmul --variant matmul.wgsl --watch\n');
  expect(await readFile(scratchPath('matmul.wgsl'), 'utf8')).toContain('// lab: covers 16 x 16');
  await expectRefused(['lab', 'new', 'matmul'], /^ptdpc: matmul.wgsl: exists already; --force replaces it$/m);
  await expectRefused(['lab', 'new', 'softmax', '--from', 'naive'], /softmax has only shipped/);
});

it('shows a variant whole', async () => {
  const { code, stdout } = await ptdpc(['lab', 'show', 'matmul', '--variant', 'blocks64x64']);
  expect(code).toBe(0);
  expect(stdout).toContain('override TILE_COLUMNS: u32 = 64;');
  // From the files that it includes; no line says so any more.
  expect(stdout).toContain('struct Params {');
  expect(stdout).not.toContain('#include');
  expect((await ptdpc(['lab', 'show', 'softmax'])).stdout).toContain('fn reduce_max(');
  await expectRefused(
    ['lab', 'show', 'softmax', '--variant', 'rows'],
    /^ptdpc: --variant rows: softmax has only shipped$/m,
  );
});

it('models kernels on a GPU that is not there', async () => {
  const shape = ['--shape', 'm=64,n=64,k=16'];
  const all = await ptdpc(['lab', 'model', 'matmul', '--gpu', 'rtx-4090', ...shape]);
  expect(all.code, all.stderr).toBe(0);
  expect(all.stdout).toMatch(/^matmul m=64,n=64,k=16 on NVIDIA GeForce RTX 4090: a model, nothing was measured$/m);
  for (const variant of kernelNamed('matmul').variants)
    expect(all.stdout).toMatch(new RegExp(`^${variant.name}: (?:bound by .*|it needs .*)$`, 'm'));
  const one = await ptdpc(['lab', 'model', 'matmul', '--variant', 'tiled', ...shape]);
  expect(one.stdout).toMatch(/^store a_tile\[a_p \* TILE \+ a_row\] +workgroup +4 +32 +16.0 +16.0 +512$/m);
  expect(one.stdout).toMatch(/^load a\[row \* params.k \+ p\] +buffer +4 +32 +4.0 +100.0 % +\d+$/m);
  const file = await ptdpcJson(['lab', 'model', 'matmul', '--variant', './matmul.wgsl', '--gpu', 'm4-max', ...shape]);
  expect(file).toMatchObject({ gpu: { name: 'm4-max' }, variant: './matmul.wgsl', bound: 'loads and stores' });
  await expectRefused(
    ['lab', 'model', 'matmul', '--gpu', 'rtx-409'],
    /\(Did you mean rtx-4090\?\) Expected one of h100, .*rx-7900-xtx\.$/m,
  );
  await expectRefused(['lab', 'model', 'matmul', '--variant', 'fast'], /^ptdpc: --variant fast: matmul has naive, /m);
  await expectRefused(
    ['lab', 'model', 'matmul', '--variant', 'blocks64x64', '--shape', 'k=7'],
    /^ptdpc: blocks64x64: it needs k % 4 == 0$/m,
  );
});

it('a step on two devices, kernel by kernel', async () => {
  const { code, stdout } = await ptdpc(['lab', 'diff', 'oracle', 'twin']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^composeGradWeights +\d\.\de-\d +\d+ +compose, backward$/m);
  expect(stdout).toMatch(/^none differs by more than 0.0001$/m);
  const strict = await ptdpc(['lab', 'diff', '--bound', '1e-9', '--json']);
  expect(strict.code).toBe(1);
  expect(strict.stderr).toMatch(/^ptdpc: the devices differ by more than 1e-9$/m);
  expect(JSON.parse(strict.stdout)).toMatchObject({ bound: 1e-9, first: { kernel: 'matmul', comparison: {} } });
  await expectRefused(['lab', 'diff', 'cpu', 'cpu'], /^ptdpc: cpu and cpu: expected two different devices$/m);
});

it('tries it: right, wrong, not compiling', async () => {
  const right = await ptdpc(['lab', 'run', 'matmul', '--variant', 'matmul.wgsl', ...SIZES]);
  expect(right.code, right.stderr).toBe(0);
  expect(right.stdout).toMatch(/^matmul.wgsl: right on \d+ cases, largest error \S+ \(tolerance 2.0e-6\)$/m);
  expect(right.stdout).toMatch(/^matmul.wgsl( +\S+){2} +\S+ - \S+ +\S+ +\S+ +\S+ % +\S+$/m);
  expect(right.stdout).toMatch(/^times by the (?:device's own clock|host's clock, which counts queueing a call too)$/m);
  expect(right.stdout).toMatch(
    /^matmul.wgsl: (?:faster than|slower than|not distinguishable from) \w+: \d+\.\d\d times as fast, (?:95.0 % sure of \S+ to \S+ \(15 pairs of turns\)|but \d+ pairs? of turns are too few to tell)$/m,
  );

  const text = await readFile(scratchPath('matmul.wgsl'), 'utf8');
  await writeFile(scratchPath('wrong.wgsl'), text.replace('p < params.k; p++', 'p + 1u < params.k; p++'));
  const wrong = await ptdpc(['lab', 'run', 'matmul', '--variant', 'wrong.wgsl', ...SIZES]);
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/^wrong.wgsl: WRONG on (\d+) of \1 cases$/m);
  expect(wrong.stdout).toMatch(/^ {2}matmul m=1,n=1,k=1\S*: out\[0, 0\] is 0, expected -?0\.\d+; 1 of 1 element off/m);
  expect(wrong.stderr).toMatch(/^ptdpc: wrong.wgsl: it is wrong$/m);

  await writeFile(scratchPath('broken.wgsl'), text.replace('var sum = 0.0;', 'var sum = nothing;'));
  const broken = await ptdpc(['lab', 'run', 'matmul', '--variant', 'broken.wgsl', ...SIZES]);
  expect(broken.code).toBe(1);
  const line = text.split('\n').indexOf('  var sum = 0.0;') + 1;
  expect(broken.stdout).toBe(
    `broken.wgsl:${line}:13: error: unresolved value 'nothing'\n    var sum = nothing;\n              ^\n`,
  );
});

it('tries the sizes that are timed too, and names what a file is compared with', async () => {
  const text = await readFile(scratchPath('matmul.wgsl'), 'utf8');
  await writeFile(scratchPath('short.wgsl'), text.replace('p < params.k;', 'p < min(params.k, 1040u);'));
  const run = ['lab', 'run', 'matmul', '--variant', 'short.wgsl', '--against', 'tiled'];
  const short = await ptdpc([...run, '--shape', 'm=4,n=8,k=2048']);
  expect(short.code).toBe(1);
  expect(short.stdout).toMatch(/^short.wgsl: right on \d+ cases, /m);
  expect(short.stdout).toMatch(
    /^short.wgsl: WRONG on matmul m=4,n=8,k=2048, held against the definition in float64\n {2}out\[.* of 32 elements off, by up to .*$/m,
  );
  expect(short.stdout).toMatch(/^not timed: it is wrong on the case that is timed$/m);
  expect(short.stderr).toMatch(/^ptdpc: short.wgsl: it is wrong on the case that is timed$/m);

  await writeFile(scratchPath('picky.wgsl'), `${text}\n// lab: needs m >= 200\n`);
  await expectRefused(
    [...run.with(4, 'picky.wgsl'), ...SIZES],
    /^ptdpc: picky.wgsl: it takes no case of matmul: it needs m >= 200$/,
  );
  await writeFile(scratchPath('picky.wgsl'), `${text}\n// lab: needs m >= 16, m <= 31\n`);
  const picky = await ptdpcJson<{
    parity: { cases: number; suite: number; saysLittle: boolean };
    judged: { reference: string };
    clock: string;
    duel: { rival: string; verdict: string };
  }>([...run.with(4, 'picky.wgsl'), ...SIZES]);
  expect(picky.parity).toMatchObject({ cases: 6, saysLittle: true });
  expect(picky.judged.reference).toBe('the definition in float64');
  expect(picky.duel.rival).toBe('tiled');
  const { stdout } = await ptdpc([...run.with(4, 'picky.wgsl'), ...SIZES]);
  expect(stdout).toContain(`picky.wgsl: right on 6 cases of ${picky.parity.suite}, which says little, largest error `);
});

it('ends where a kernel does not', async () => {
  await ptdpc(['lab', 'new', 'affine']);
  const text = await readFile(scratchPath('affine.wgsl'), 'utf8');
  const endless = 'loop { value = value * 0.5 + x[at]; if (value == 12345.0) { break; } }\n  out[at] = value;';
  await writeFile(scratchPath('endless.wgsl'), text.replace('out[at] = value;', endless));
  const run = ['lab', 'run', 'affine', '--variant', 'endless.wgsl', '--time-limit', '2'];
  const { code, stdout, stderr } = await ptdpc(run);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^ptdpc: endless.wgsl: no answer from the device for 2 seconds; a loop may not end \(--time-limit waits longer\)$/m,
  );
});

it('watches: each save is tried at once', async () => {
  const file = scratchPath('watched.wgsl');
  await ptdpc(['lab', 'new', 'softmax', '--out', file]);
  const text = await readFile(file, 'utf8');
  const child = startPtdpc(['lab', 'run', 'softmax', '--variant', file, '--shape', 'rows=3', '--watch']);
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const outcome = outcomeOf(child);
  const seen = (pattern: RegExp) => expect.poll(() => said, { timeout: 200_000, interval: 20 }).toMatch(pattern);
  await seen(/right on \d+ cases[\s\S]*ceilings/);
  said = '';
  await writeFile(file, text.replaceAll('exp(', 'exp2('));
  await seen(/WRONG on \d+ of \d+ cases[\s\S]*not timed: it is wrong/);
  said = '';
  await writeFile(file, 'nothing of a kernel');
  await writeFile(file, text);
  await seen(/right on \d+ cases[\s\S]*ceilings/);
  child.kill('SIGINT');
  expect((await outcome).signal).toBe('SIGINT');
});

it('shows three digits and no power of ten', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const time = { gflops: 1, gbytes: 1 };
    const times = [
      { ...time, name: 'slow', seconds: 1.7, quartiles: [1.6, 1.8] as [number, number] },
      { ...time, name: 'fast', seconds: 0.267, quartiles: [0.0123, 0.9996] as [number, number] },
    ];
    printTimings('case', { cost: { flops: 1.2345e12, bytes: 5e5 }, times, clock: 'host' }, { gflops: 10, gbytes: 10 });
    const text = write.mock.calls.map(([line]) => String(line)).join('');
    expect(text).toMatch(/^case: 1235 GFLOP, 0\.500 MB\n/);
    expect(text).toMatch(/^slow +1700 +1600 - 1800 /m);
    expect(text).toMatch(/^fast +267 +12\.3 - 1000 /m);
  } finally {
    write.mockRestore();
  }
});

it('lists kernels with what they cost, and times the shipped variants of one on either device', async () => {
  const { stdout } = await ptdpc(['lab', 'list', 'compose']);
  expect(stdout).toMatch(/^batch=64,classes=8,tokens=8,width=512 +1 +\S* +1\.20$/m);
  const all = await ptdpcJson<{ kernels: { kernel: string; variants: string[] }[] }>(['lab', 'list']);
  expect(all.kernels.map(({ kernel }) => kernel)).toEqual(allKernels().map(({ name }) => name));
  for (const [device, names] of [
    ['webgpu', ['workgroup', 'rows', 'quarters', 'subgroup']],
    ['cpu', ['twin', 'compiled']],
  ] as const) {
    const { times } = await ptdpcJson<{ times: { name: string; seconds: number }[] }>([
      ...['lab', 'run', 'attention', '--device', device, '--shape', 'sequences=1,prefix=5,heads=1'],
    ]);
    expect(times.map(({ name }) => name)).toEqual(names);
    for (const { seconds } of times) expect(seconds).toBeGreaterThan(0);
  }
});

it('sets exercises, says hints and checks answers', async () => {
  expect((await ptdpc(['lab', 'exercise'])).stdout).toMatch(/^ {2}fix-a-softmax +1 {2}Fix a softmax/m);
  expect((await ptdpc(['lab', 'exercise', '4'])).stdout).toBe('4-four-elements-each.wgsl\n');
  const start = ['lab', 'exercise', '4', '--check', '4-four-elements-each.wgsl'];
  const { code, stderr } = await ptdpc(start);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ptdpc: exercise 4: not yet: a workgroup covers 64 elements; it should be 256$/m);
  const solution = new URL('../lab/solutions/4-four-elements-each.wgsl', import.meta.url).pathname;
  const lockstep = ['--device', 'lockstep'];
  for (const device of [[], lockstep]) {
    expect((await ptdpc(['lab', 'exercise', '4', solution, ...device])).stdout).toMatch(
      /^exercise 4: right on \d+ cases$/m,
    );
  }
  expect((await ptdpc(['lab', 'exercise', 'bounds'])).stdout).toBe('bounds.wgsl\n');
  expect((await ptdpc(['lab', 'exercise', 'bounds', '--hint', '2'])).stdout).toMatch(/^hint 2 of 3: /);
  const wrong = await ptdpc(['lab', 'exercise', 'bounds', 'bounds.wgsl', ...lockstep]);
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(
    /^bounds length=1\n {2}x \[1\] = .*\n(.*\n)*.*numbers were written past the end of the output$/m,
  );
  const written = await ptdpc(['lab', 'exercise', 'double', '--out', 'start.wgsl']);
  expect(written.stderr).toMatch(/^tolerance: 0\.000002 of the largest number of the output$/m);
  const untouched = await ptdpc(['lab', 'exercise', 'double', 'start.wgsl', ...lockstep]);
  expect(untouched.stdout).toMatch(/^out, rows 0 to 0 of 1, columns 0 to 0 of 1: # wrong, \. right.*\n#$/m);
  await expectRefused(
    ['lab', 'exercise', '--check', '4-four-elements-each.wgsl'],
    /^ptdpc: --check: of which exercise\? Expected its name or number before it: npx ptdpc lab exercise double --check/,
  );
  await expectRefused(['lab', 'exercise', '99'], /exercise 99: there is none of that name/);
  await expectRefused(['lab', 'exercise', 'bounds', '--hint', '9'], /--hint 9: bounds has hints 1 to 3/);
});

it("grades a class's folders, whatever is in them", async () => {
  const right = await readFile(new URL('../lab/solutions/first-steps/double.wgsl', import.meta.url), 'utf8');
  const files = {
    'ada/double.wgsl': right,
    'ben/double.wgsl': right.replace('2.0', '3.0'),
    'cleo/double.wgsl': right.replace(
      '  out[i] = 2.0',
      '  loop {\n    if (i > 1000u) {\n      break;\n    }\n  }\n  out[i] = 2.0',
    ),
    'cleo/other.wgsl': right,
    'dan/double.wgsl': 'no WGSL at all {{{',
    // Within the rounds that loops may take, for minutes.
    'eve/double.wgsl': right.replace(
      '  out[i] = 2.0',
      `  var slow = 0.0;\n  for (var j = 0u; j < 90000u; j++) {\n${'    slow += sin(slow);\n'.repeat(500)}  }\n  out[i] = 2.0`,
    ),
    // More memory than there is.
    'fay/double.wgsl': right.replace('  out[i] = 2.0', '  var a: array<f32, 4000000000>;\n  out[i] = a[i] + 2.0'),
  };
  for (const [path, text] of Object.entries(files)) {
    const file = scratchPath(join('class', path));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const { code, stdout, stderr } = await ptdpc(['lab', 'grade', 'class', '--csv', 'grades.csv', '--time-limit', '6']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^student +double +right\nada +right +1 of 1\nben +wrong +0 of 1\ncleo +wrong +0 of 1\ndan +wrong +0 of 1\neve +wrong +0 of 1\nfay +wrong +0 of 1$/m,
  );
  expect(stdout).toMatch(/^cleo, double: .*a loop does not end/m);
  expect(stdout).toMatch(/^dan, double: double\.wgsl: /m);
  expect(stdout).toMatch(
    /^eve, double: no verdict within 6 seconds; a loop may not end \(--time-limit waits longer\)$/m,
  );
  expect(stdout).toMatch(/^fay, double: its check crashed \(.+\)$/m);
  expect(stderr).toMatch(/cleo\/other\.wgsl: no task has this name/);
  const lines = (await readFile(scratchPath('grades.csv'), 'utf8')).split('\n');
  expect(lines.slice(0, 2)).toEqual(['student,task,right,reason', '"ada","double",1,""']);
  expect(lines).toHaveLength(8);
  await expectRefused(['lab', 'grade', 'class/ada'], /class\/ada: expected a folder for each student/);
  await expectRefused(['lab', 'grade', 'none'], /none: cannot be read/);
});

it('refuses what it cannot do, in one line', async () => {
  await expectRefused(['lab', 'run', 'softmax', '--shape', 'm=3'], /--shape m=3: softmax has the sizes rows, columns/);
  await expectRefused(['lab', 'run', 'softmax', '--shape', 'rows=0'], /--shape rows=0: expected a whole number from 1/);
  await expectRefused(['lab', 'run', 'softmax', '--shape', 'rows'], /Expected names and numbers such as/);
  await expectRefused(['lab', 'run', 'softmax', '--variant', 'none.wgsl'], /none.wgsl: cannot be read/);
  await expectRefused(['lab', 'run', 'softmax', '--watch'], /--watch: it watches a file, and --variant names none/);
  await expectRefused(
    ['lab', 'run', 'matmul', '--against', 'tiled'],
    /--against: it names what a file is compared with, and --variant names none/,
  );
  await expectRefused(
    ['lab', 'run', 'matmul', '--variant', 'matmul.wgsl', '--against', 'quick'],
    /--against quick: matmul has naive, registers,/,
  );
  await expectRefused(
    ['lab', 'run', 'softmax', '--variant', 'matmul.wgsl', '--device', 'cpu'],
    /--device cpu: a WGSL file runs on WebGPU only/,
  );
  await expectRefused(
    ['lab', 'run', 'softmax', '--variant', 'matmul.wgsl'],
    /matmul.wgsl: struct Params has m; softmax gives rows, columns/,
  );
  await expectRefused(['lab', 'run', 'matmul', '--shape', 'm=1000000,k=1000000'], /a buffer of \d+ numbers; at most/);
  await expectRefused(['lab', 'run', 'nosuch'], /Expected one of \w+, \w+, /);
  for (const name of ['layernorm', 'layerNrom'])
    await expectRefused(
      ['lab', 'new', name],
      new RegExp(`^ptdpc: <kernel> '${name}' is invalid\\. \\(Did you mean layerNorm\\?\\)$`),
    );
});
