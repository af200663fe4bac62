/** The course's checks: right answers pass, in whatever form; the starting files and the wrong answers one might think of do not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WebGpuBackend } from '../../src/kernels/index.js';
import { checkTask, failureLines, mapText, startOf, type Task, taskNamed, tasks, tracks } from '../../src/lab/index.js';
import { describeOn } from '../support/devices.js';
import { type Change, OTHER, WRONG } from './wrong-answers.js';

const solution = ({ file }: Task) => readFileSync(new URL(`solutions/${file}`, import.meta.url), 'utf8');

function changed([name, , from, to]: Change): [Task, string] {
  const task = taskNamed(name);
  const right = solution(task);
  const text = right.replace(from, to);
  expect(text).not.toBe(right);
  return [task, text];
}

describe('the tasks', () => {
  it('have names of their own, hints in stages, and wrong answers', () => {
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
    for (const { id, hints, cases, number, statement } of tasks) {
      expect(hints.length, id).toBeGreaterThanOrEqual(3);
      expect(cases.length, id).toBeGreaterThan(1);
      expect(statement, id).toMatch(/[.?]$/);
      expect(
        WRONG.some(([name]) => name === id),
        id,
      ).toBe(true);
      if (number !== undefined) expect(taskNamed(`${number}`).id).toBe(id);
    }
  });

  it('a name that there is not is refused', () => {
    expect(() => taskNamed('bound')).toThrow('exercise bound: there is none of that name; did you mean bounds?');
    expect(() => taskNamed('9')).toThrow('exercise 9: there is none of that name; `ptdpc lab exercise` lists them');
  });
});

/** Both with an adapter and without. */
function checks(device: () => WebGpuBackend | undefined): void {
  const check = (task: Task, text: string) => checkTask(device(), task, 'answer.wgsl', text);

  for (const { id, tasks } of tracks) {
    it(`${id}: solutions pass, starting files do not`, async () => {
      for (const task of tasks) {
        const { passed, reason } = await check(task, solution(task));
        expect([passed, reason], task.id).toEqual([true, '']);
        const start = await check(task, startOf(task.id));
        expect([start.passed, start.reason], task.id).toEqual([false, expect.stringMatching(/./)]);
      }
    });

    it(`${id}: wrong answers do not pass`, async () => {
      for (const change of WRONG) {
        const [task, text] = changed(change);
        if (task.track !== id) continue;
        const { passed, reason } = await check(task, text);
        expect([passed, reason], `${change[0]}: ${change[1]}`).toEqual([false, expect.stringMatching(/./)]);
      }
    });
  }

  it('right answers of another form pass', async () => {
    for (const change of OTHER) {
      const { passed, reason } = await check(...changed(change));
      expect([passed, reason], `${change[0]}: ${change[1]}`).toEqual([true, '']);
    }
  });
}

describeOn('webgpu', 'answers', (device) => {
  checks(() => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not WebGPU');
    return backend;
  });

  it('half precision may be read as f16 where the adapter has it, and as words everywhere', async () => {
    const backend = device() as WebGpuBackend;
    const task = taskNamed('read-halves');
    const text = `enable f16;\n${solution(task)
      .replace('b: array<u32>', 'b: array<f16>')
      .replace(/unpack2x16float\(b\[at \/ 2u\]\)\[at % 2u\]/, 'f32(b[at])')}`;
    const { passed, reason } = await checkTask(backend, task, 'answer.wgsl', text);
    // Without the feature, the compiler says so, not the contract.
    if (backend.adapter.features?.includes('shader-f16')) expect([passed, reason]).toEqual([true, '']);
    else expect(reason).toBe('it does not compile');
  });
});

describe('answers in lockstep, without an adapter', () => {
  checks(() => undefined);

  it('a loop that does not end is ended', async () => {
    const text = solution(taskNamed('double')).replace(
      'out[i] = 2.0',
      'loop {\n    if (i > 1000u) {\n      break;\n    }\n  }\n  out[i] = 2.0',
    );
    const { passed, reason } = await checkTask(undefined, taskNamed('double'), 'answer.wgsl', text);
    expect([passed, reason]).toEqual([false, expect.stringMatching(/a loop does not end/)]);
  });

  it('a wrong answer is told by its inputs, its worst element, the tolerance, and a map', async () => {
    const [task, text] = changed([
      'two-axes',
      '',
      'row * params.columns + column;',
      'row * params.columns + column;\n  if (column == 8u) { return; }',
    ]);
    const { failure, tolerance } = await checkTask(undefined, task, 'answer.wgsl', text);
    expect(failureLines(failure!, tolerance)).toEqual([
      'twoAxes rows=7,columns=9',
      expect.stringMatching(/^ {2}x \[7, 9\] = (-?[\d.e-]+, ){8}\.\.\.$/),
      expect.stringMatching(/^ {2}shift \[9\] = (-?[\d.e-]+, ){8}\.\.\.$/),
      expect.stringMatching(/^ {2}the worst: out\[\d, 8\] is NaN, expected -?[\d.e-]+ \(NaN: perhaps never written\)$/),
      '  7 of 63 elements are off by more than 0.000002 of the largest number of the output',
    ]);
    expect(mapText(failure!.map!)).toEqual([
      'out, rows 0 to 6 of 7, columns 0 to 8 of 9: # wrong, . right, lines between workgroups',
      ...Array<string>(7).fill('........|#'),
    ]);
  });

  it('numbers past the end are told first, and names that are not declared with their line', async () => {
    const task = taskNamed('double');
    const past = await checkTask(
      undefined,
      task,
      'answer.wgsl',
      solution(task).replace('i >= params.length', 'i > params.length'),
    );
    expect(past.reason).toBe('it writes past the end of its output on double length=1');
    expect(failureLines(past.failure!, past.tolerance)).toEqual([
      'double length=1',
      expect.stringMatching(/^ {2}x \[1\] = /),
      '  1 number was written past the end of the output',
      '  within its bounds the output is right',
    ]);
    const unknown = solution(task).replace('2.0 * x[i]', '2.0 * y[i]');
    const line = unknown.split('\n').findIndex((text) => text.includes('2.0 * y[i]')) + 1;
    const { reason } = await checkTask(undefined, task, 'answer.wgsl', unknown);
    expect(reason).toBe(`it does not run in lockstep: line ${line}: y is not declared`);
  });

  it('races are told though the numbers are right', async () => {
    const task = taskNamed('prefix-sum');
    const { reason } = await checkTask(undefined, task, 'answer.wgsl', startOf(task.id));
    expect(reason).toMatch(/^prefixSum .*: two invocations race: .* scratch, word \d+, without a barrier between$/);
    const [sum, branch] = changed([
      'workgroup-sum',
      '',
      '    }\n    workgroupBarrier();',
      '    workgroupBarrier();\n    }',
    ]);
    expect((await checkTask(undefined, sum, 'answer.wgsl', branch)).reason).toMatch(/a barrier stands where not all/);
  });
});
