/** `ptdpc lab new` and `ptdpc lab exercise`: files to start from, and the check of an answer. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { Kernel } from '../../kernels/index.js';
import { checkExercise, type Exercise, exercises, starterText } from '../../lab/index.js';
import { writeFileAtomically } from '../../node/atomic.js';
import { openWebGpu } from '../../node/device.js';
import { closeGpu } from '../../node/gpu.js';
import { packageRoot } from '../../node/package.js';
import { commandLine, NegativeResult, print, printJson, say } from '../output.js';
import { printCompilation, printParity } from './page.js';
import { readVariant, requireAdapter } from './run.js';
import { StepBar } from './step-bar.js';

interface Options {
  out?: string;
  check?: string;
  timeLimit: number;
  force?: boolean;
  json?: boolean;
}

/** Lists the exercises, or writes one's starting file, or checks an answer. */
export async function doExercise(number: number | undefined, options: Options): Promise<void> {
  if (number === undefined) {
    const option = options.check !== undefined ? '--check' : options.out !== undefined ? '--out' : undefined;
    if (option === undefined) return list(options);
    throw new InputError(
      `${option}: which exercise? expected its number, 1 to ${exercises.length}, before it: ${commandLine(['lab', 'exercise', '1', option, options.check ?? options.out!])}`,
    );
  }
  const exercise = exercises.find((one) => one.number === number);
  if (!exercise) throw new InputError(`exercise ${number}: there are ${exercises.length}`);
  if (options.check !== undefined) return check(exercise, options.check, options);
  const text = await readFile(join(packageRoot(), 'docs/kernels/exercises', exercise.file), 'utf8');
  const { out = exercise.file, force = false } = options;
  await writeNewFile(out, text, force, commandLine(['lab', 'exercise', `${number}`, '--check', out]));
}

function list({ json }: Options): void {
  if (json) printJson(exercises.map(({ number, title, kernel, file }) => ({ number, title, kernel, file })));
  else for (const { number, title, kernel } of exercises) print(`${number}  ${title} (${kernel})`);
}

/** Throws InputError if the answer is not right yet. */
async function check(exercise: Exercise, file: string, { timeLimit, json }: Options): Promise<void> {
  const text = await readVariant(file);
  const backend = await openWebGpu(await requireAdapter(), { poison: true });
  try {
    using bar = new StepBar(file, timeLimit);
    const result = await checkExercise(backend, exercise, file, text, (step, done, all) => bar.at(step, done, all));
    bar.stop();
    const { passed, reason, compilation, parity } = result;
    if (json) {
      printJson({ exercise: exercise.number, file, passed, reason });
    } else {
      if (compilation) printCompilation(file, text, compilation);
      if (parity) printParity(file, parity);
      if (passed) print(`exercise ${exercise.number}: right`);
    }
    if (!passed) throw new NegativeResult(`exercise ${exercise.number}: not yet: ${reason}`);
  } finally {
    backend.dispose();
    closeGpu();
  }
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
