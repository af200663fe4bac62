/** `ptdpc lab exercise`: the course's tasks, their starting files and hints, and the check of an answer. `ptdpc lab new`: a file to start from. */
import { access } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import type { Kernel, WebGpuBackend } from '../../kernels/index.js';
import {
  checkTask,
  failureLines,
  mapText,
  starterText,
  startOf,
  type Task,
  type TaskResult,
  taskNamed,
  tasks,
  tracks,
} from '../../lab/index.js';
import { writeFileAtomically } from '../../node/atomic.js';
import { openWebGpu } from '../../node/device.js';
import { closeGpu, nodeAdapter } from '../../node/gpu.js';
import { commandLine, NegativeResult, print, printJson, printLines, say } from '../output.js';
import { table } from '../tables.js';
import { printCompilation } from './page.js';
import { readVariant, requireAdapter } from './run.js';
import { StepBar } from './step-bar.js';

export const CHECK_DEVICES = ['auto', 'webgpu', 'lockstep'] as const;
type CheckDevice = (typeof CHECK_DEVICES)[number];

interface Options {
  out?: string;
  check?: string;
  hint?: number;
  start?: boolean;
  device: CheckDevice;
  timeLimit: number;
  force?: boolean;
  json?: boolean;
}

/** Lists the tasks, or writes one's starting file, or says a hint, or checks an answer. */
export async function doExercise(
  name: string | undefined,
  answer: string | undefined,
  options: Options,
): Promise<void> {
  const { check: checked = answer, out, hint, start, json } = options;
  if (name === undefined) {
    const option = (['check', 'out', 'hint', 'start'] as const).find((one) => options[one] !== undefined);
    if (option === undefined) return list(json);
    throw new InputError(
      `--${option}: of which exercise? Expected its name or number before it: ${commandLine(['lab', 'exercise', tasks[0]!.id, `--${option}`])}`,
    );
  }
  const task = taskNamed(name);
  if (hint !== undefined) return sayHint(task, hint);
  if (checked !== undefined) return check(task, checked, options);
  const text = startOf(task.id);
  if (start) return printLines(text.trimEnd());
  const file = out ?? task.file.replace(/^.*\//, '');
  say(`${task.title} (about ${task.minutes} minutes)\n${task.statement}\n${toleranceText(task)}`);
  await writeNewFile(file, text, options.force ?? false, commandLine(['lab', 'exercise', name, '--check', file]));
}

function toleranceText({ tolerance, why }: Task): string {
  return `tolerance: ${tolerance} of the largest number of the output${why === undefined ? '' : `: ${why}`}`;
}

function list(json: boolean | undefined): void {
  if (json) {
    printJson(
      tasks.map(({ id, number, track, title, minutes, kernel, file, tolerance, statement, hints }) => ({
        ...{ id, ...(number !== undefined && { number }), track, title, minutes, kernel: kernel.name, file },
        ...{ tolerance, statement, hints: hints.length },
      })),
    );
    return;
  }
  for (const { title, tasks } of tracks) {
    print(title);
    printLines(
      table(
        tasks.map(({ id, number, title, minutes }) => [`  ${id}`, `${number ?? ''}`, title, `${minutes} min`]),
        3,
      ),
    );
  }
}

function sayHint({ id, hints }: Task, stage: number): void {
  const hint = hints[stage - 1];
  if (hint === undefined) throw new InputError(`--hint ${stage}: ${id} has hints 1 to ${hints.length}`);
  print(`hint ${stage} of ${hints.length}: ${hint}`);
}

/** Throws NegativeResult if the answer is not right yet. */
async function check(task: Task, file: string, { device, timeLimit, json }: Options): Promise<void> {
  const text = await readVariant(file);
  const backend = await openFor(device);
  try {
    using bar = new StepBar(file, timeLimit);
    const result = await checkTask(backend, task, file, text, (done, all) => bar.at('cases', done, all));
    bar.stop();
    const { passed, reason } = result;
    if (json) printJson({ exercise: task.number ?? task.id, file, ...result });
    else printResult(task, file, text, result);
    if (!passed) throw new NegativeResult(`exercise ${nameOf(task)}: not yet: ${reason}`);
  } finally {
    backend?.dispose();
    closeGpu();
  }
}

/** A device of WebGPU; undefined: in lockstep. */
async function openFor(device: CheckDevice): Promise<WebGpuBackend | undefined> {
  if (device === 'lockstep') return undefined;
  const adapter = device === 'webgpu' ? await requireAdapter() : await nodeAdapter().catch(() => null);
  if (adapter) return await openWebGpu(adapter, { poison: true });
  say('no WebGPU adapter here: the file is executed in lockstep on the host, which no compiler has checked for types');
  return undefined;
}

function printResult(task: Task, file: string, text: string, result: TaskResult): void {
  const { passed, compilation, failure, tolerance, cases, device } = result;
  if (compilation) printCompilation(file, text, compilation);
  if (failure) {
    printLines(failureLines(failure, tolerance).join('\n'));
    if (failure.map) printLines(mapText(failure.map).join('\n'));
  }
  print(`${toleranceText(task)}; ${device}`);
  if (passed) print(`exercise ${nameOf(task)}: right on ${cases} cases`, 'green');
  else if (!failure) return;
  else say(`a hint: ${commandLine(['lab', 'exercise', nameOf(task), '--hint', '1'])}`);
}

function nameOf({ number, id }: Task): string {
  return number === undefined ? id : `${number}`;
}

interface NewOptions {
  from?: string;
  out?: string;
  force?: boolean;
}

export async function newFile(kernel: Kernel, options: NewOptions): Promise<void> {
  const { from, out = `${kernel.name}.wgsl`, force = false } = options;
  const text = starterText(kernel, from);
  await writeNewFile(out, text, force, commandLine(['lab', 'run', kernel.name, '--variant', out, '--watch']));
}

/** Writes a starting file and says what to do with it. Throws InputError if it exists already, unless forced. */
export async function writeNewFile(out: string, text: string, force: boolean, next: string): Promise<void> {
  if (!force && (await exists(out))) throw new InputError(`${out}: exists already; --force replaces it`);
  await writeFileAtomically(out, text);
  print(out);
  say(`now: ${next}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
