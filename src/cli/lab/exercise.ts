/** `ptdpc lab exercise`: what to do, a file to do it in, and whether it is done. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { checkExercise, type Exercise, exercises } from '../../lab/index.js';
import { openWebGpu } from '../../node/device.js';
import { closeGpu } from '../../node/gpu.js';
import { packageRoot } from '../../node/package.js';
import { NegativeResult, print, printJson } from '../output.js';
import { writeNewFile } from './new.js';
import { printCompilation, printParity } from './page.js';
import { readVariant, requireAdapter } from './run.js';
import { StepBar } from './step-bar.js';

interface Options {
  out?: string;
  check?: string;
  force?: boolean;
  json?: boolean;
}

/** Lists the exercises, or writes one's starting file, or checks an answer. */
export async function doExercise(number: number | undefined, options: Options): Promise<void> {
  if (number === undefined) return list(options);
  const exercise = exercises.find((one) => one.number === number);
  if (!exercise) throw new InputError(`exercise ${number}: there are ${exercises.length}`);
  if (options.check !== undefined) return check(exercise, options.check, options);
  const text = await readFile(join(packageRoot(), 'docs/kernels/exercises', exercise.file), 'utf8');
  const { out = exercise.file, force = false } = options;
  await writeNewFile(out, text, force, `ptdpc lab exercise ${number} --check ${out}`);
}

function list({ json }: Options): void {
  if (json) printJson(exercises.map(({ number, title, kernel, file }) => ({ number, title, kernel, file })));
  else for (const { number, title, kernel } of exercises) print(`${number}  ${title} (${kernel})`);
}

/** Throws InputError if the answer is not right yet. */
async function check(exercise: Exercise, file: string, { json }: Options): Promise<void> {
  const text = await readVariant(file);
  const backend = await openWebGpu(await requireAdapter(), { poison: true });
  try {
    using bar = new StepBar();
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
