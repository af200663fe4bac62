/** `ptdpc lab`: kernels, one by one: what they cost, how fast they are, and a WGSL file of one's own in their place. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../errors.js';
import { allKernels, type Kernel, type Sizes } from '../kernels/index.js';
import { GPUS, type Gpu, parseSizes, tasks } from '../lab/index.js';
import { similar } from '../suggest.js';
import { DIFF_DEVICES, diffDevices } from './lab/diff.js';
import { CHECK_DEVICES, doExercise, newFile } from './lab/exercise.js';
import { gradeClass } from './lab/grade.js';
import { listKernels } from './lab/list.js';
import { printModel } from './lab/model.js';
import { type RunOptions, runKernel } from './lab/run.js';
import { showVariant } from './lab/show.js';
import { addExamples, jsonOption, parseInteger, parsePositive } from './options.js';

export function configure(command: Command): void {
  command
    .description(
      'The kernel laboratory: list the kernels and the shapes that encoding and training use; read and measure a kernel; write your own ' +
        'WGSL file, check it against the definition, and time it beside the shipped variants. docs/kernels explains each kernel.',
    )
    .usage('<list|show|run|model|diff|new|exercise|grade> [options]');
  configureList(command.command('list'));
  configureShow(command.command('show'));
  configureRun(command.command('run'));
  configureModel(command.command('model'));
  configureDiff(command.command('diff'));
  configureNew(command.command('new'));
  configureExercise(command.command('exercise'));
  configureGrade(command.command('grade'));
  addExamples(command, [
    ['ptdpc lab list matmul', 'the products that encoding and training compute, with their cost'],
    ['ptdpc lab show matmul --variant tiled', 'the WGSL of a variant'],
    ['ptdpc lab new matmul --out mine.wgsl', 'a commented file to start from'],
    ['ptdpc lab run matmul --variant mine.wgsl --watch', 'check and time it again whenever it is saved'],
  ]);
}

function configureList(command: Command): void {
  command
    .summary('kernels, variants, real shapes, FLOPs and bytes')
    .description(
      'List the kernels with their variants and their cost for encoding a batch of 32 images with ViT-B/32 and for a training step ' +
        '(preset paper, 64 images, eight classes). With a kernel: each shape that these two use.',
    )
    .argument('[kernel]', 'one kernel', parseKernel)
    .addOption(jsonOption())
    .action(listKernels);
  addExamples(command, [
    ['ptdpc lab list', 'all kernels'],
    ['ptdpc lab list attention', "one kernel's shapes, FLOPs and bytes"],
  ]);
}

function configureShow(command: Command): void {
  command
    .summary("a variant's WGSL, with what it includes")
    .description(
      'Print the WGSL of a shipped variant as it is compiled: its file, and behind it those of shaders/ that it includes.',
    )
    .argument('<kernel>', `one of ${kernelNames().join(', ')}`, parseKernel)
    .option('--variant <name>', 'which one (default: the plainest)')
    .action(showVariant);
  addExamples(command, [
    ['ptdpc lab show softmax', 'its only variant'],
    ['ptdpc lab show attention --variant subgroup', 'one of several'],
  ]);
}

function configureRun(command: Command): void {
  command
    .summary('check and time a kernel, with a file of your own')
    .description(
      "Time a kernel's variants on one shape. With --variant, first compile a WGSL file against the kernel's binding contract, compare it " +
        'with the TypeScript reference in float64 over the odd shapes of the suite, each twice, and on the shape that is timed, and then ' +
        'time it beside the shipped ones. Exits with 1 where the file does not compile, is wrong, or does not end.',
    )
    .argument('<kernel>', `one of ${kernelNames().join(', ')}`, parseKernel)
    .option('--variant <wgsl>', 'a WGSL file in place of the shipped ones (`ptdpc lab new` writes one to start from)')
    .option(
      '--shape <sizes>',
      'sizes and options to time, e.g. m=1728,k=512,n=2048 (default: what `npx ptdpc lab list <kernel>` shows)',
      parseShape,
    )
    .addOption(new Option('--device <device>', 'where to run').choices(['webgpu', 'cpu']).default('webgpu'))
    .option('--against <variant>', 'the shipped variant to compare its speed with (default: the fastest on this shape)')
    .addOption(timeLimitOption())
    .option('--watch', 'run again whenever the file is saved')
    .addOption(jsonOption())
    .action((kernel: Kernel, options: RunOptions) => runKernel(kernel, options));
  addExamples(command, [
    ['ptdpc lab run matmul --shape m=1728,k=512,n=2048', 'the shipped variants'],
    ['ptdpc lab run softmax --variant mine.wgsl', 'a file of your own: is it right, is it fast'],
    ['ptdpc lab run attention --device cpu', 'the TypeScript reference and WebAssembly on the CPU'],
  ]);
}

function configureModel(command: Command): void {
  command
    .summary('what bounds a kernel on a GPU that need not be here')
    .description(
      "Execute some of a kernel's workgroups on the host, all invocations in lockstep, and count every access to memory as a GPU would: sectors, " +
        'bank conflicts, occupancy. From the rates of the GPU it follows what bounds the kernel, and how fast it can be at most. A model: nothing is ' +
        'measured, and latency is left out. docs/kernels has its results.',
    )
    .argument('<kernel>', `one of ${kernelNames().join(', ')}`, parseKernel)
    .option('--variant <name>', 'a shipped variant, or a WGSL file, in detail (default: all shipped ones)')
    .addOption(
      new Option('--gpu <name>', `one of ${GPUS.map(({ name }) => name).join(', ')}`)
        .argParser(parseGpu)
        .default(GPUS[0], GPUS[0]!.name),
    )
    .option(
      '--shape <sizes>',
      'sizes and options, e.g. m=1728,k=512,n=2048 (default: as for `ptdpc lab run`)',
      parseShape,
    )
    .addOption(jsonOption())
    .action(printModel);
  addExamples(command, [
    ['ptdpc lab model matmul --gpu rtx-4090', 'all variants of the product'],
    ['ptdpc lab model matmul --variant tiled', 'one in detail: each access to memory, conflicts, occupancy'],
    ['ptdpc lab model softmax --variant mine.wgsl --gpu m4-max', 'a file of your own'],
  ]);
}

function parseGpu(text: string): Gpu {
  const found = GPUS.find(({ name }) => name === text);
  if (found) return found;
  const names = GPUS.map(({ name }) => name);
  const near = similar(text, names);
  throw new InvalidArgumentError(
    `${near === undefined ? '' : `(Did you mean ${near}?) `}Expected one of ${names.join(', ')}.`,
  );
}

function configureDiff(command: Command): void {
  command
    .summary('a training step on two devices, kernel by kernel')
    .description(
      'Run pictures through the image tower and one step of prompt tuning on two devices, compare every output of every kernel, and tell the ' +
        'first that differs by more than a bound. Differences add up from kernel to kernel, as in real work. Exits with 1 where one does. ' +
        'Devices: cpu, webgpu, twin (plain TypeScript in float32) and oracle (in float64).',
    )
    .addArgument(new Argument('[from]', 'the one device').choices(DIFF_DEVICES).default('oracle'))
    .addArgument(new Argument('[to]', 'the other').choices(DIFF_DEVICES).default('cpu'))
    .option('--model <dir>', "the model (default: the demonstration's)")
    .option('--bound <number>', 'largest difference, relative to the largest number of an output', parsePositive, 1e-4)
    .addOption(jsonOption())
    .action(diffDevices);
  addExamples(command, [
    ['ptdpc lab diff', 'the CPU beside plain TypeScript in float64'],
    ['ptdpc lab diff cpu webgpu --bound 1e-5', 'this GPU beside the CPU'],
  ]);
}

function configureNew(command: Command): void {
  command
    .summary('write a commented WGSL file to start from')
    .description('Write a shipped variant of a kernel as one file, headed by the contract that it must satisfy.')
    .argument('<kernel>', `one of ${kernelNames().join(', ')}`, parseKernel)
    .option('--from <variant>', 'the variant to start from (default: the plainest)')
    .option('--out <wgsl>', 'the file (default: <kernel>.wgsl)')
    .option('--force', 'replace the file if it is there')
    .action(newFile);
  addExamples(command, [
    ['ptdpc lab new matmul', 'matmul.wgsl, from the plainest variant'],
    ['ptdpc lab new attention --from rows --out mine.wgsl', 'from another one'],
  ]);
}

function configureExercise(command: Command): void {
  command
    .summary('a course on kernels: tasks with hints, checked')
    .description(
      `List the ${tasks.length} tasks of the course, write the starting file of one, say a hint, or check an answer. docs/kernels/exercises.md is about ` +
        'them. Exits with 1 where an answer is not right yet. Without an adapter, answers are executed in lockstep on the host.',
    )
    .argument('[task]', 'which one, by name or number')
    .argument('[wgsl]', 'an answer to check')
    .option('--out <wgsl>', "where to write the starting file (default: the task's own name, here)")
    .option('--force', 'replace the file if it is there')
    .option('--start', 'print the starting file instead')
    .option('--hint <stage>', 'say a hint, from 1 on; each says more', parseInteger())
    .option('--check <wgsl>', 'check this answer')
    .addOption(
      new Option('--device <device>', 'what executes an answer (auto: an adapter, or else lockstep)')
        .choices(CHECK_DEVICES)
        .default('auto'),
    )
    .addOption(timeLimitOption())
    .addOption(jsonOption())
    .action(doExercise);
  addExamples(command, [
    ['ptdpc lab exercise', 'the list'],
    ['ptdpc lab exercise double', 'its starting file: double.wgsl'],
    ['ptdpc lab exercise double --check double.wgsl', 'check it'],
    ['ptdpc lab exercise double --hint 1', 'a first hint'],
  ]);
}

function configureGrade(command: Command): void {
  command
    .summary("check a class's folders")
    .description(
      'Check the files of a class: a folder for each student, in it files named by tasks, such as double.wgsl. Answers are executed in lockstep on ' +
        'the host, so that no adapter is needed, each in a process of its own: one that is wrong, crashes or does not end does not stop the rest. ' +
        'Exits with 0 once all are graded, right or wrong. docs/lesson-plan.md has a lesson.',
    )
    .argument('<folder>', "the class's folder")
    .option('--csv <file>', 'write a line for each file: student, task, right (1 or 0), reason')
    .addOption(timeLimitOption('an answer is wrong if its check takes longer', 30))
    .addOption(jsonOption())
    .action(gradeClass);
  addExamples(command, [['ptdpc lab grade class --csv grades.csv', 'a table, and a file for a spreadsheet']]);
}

function timeLimitOption(what = 'end where the device gives no answer for so long', seconds = 60): Option {
  return new Option('--time-limit <seconds>', what).argParser(parseInteger(1, 86_400)).default(seconds);
}

function kernelNames(): string[] {
  return allKernels().map(({ name }) => name);
}

function parseKernel(text: string): Kernel {
  const found = allKernels().find(({ name }) => name === text);
  if (found) return found;
  const near = similar(text, kernelNames());
  throw new InvalidArgumentError(
    near === undefined ? `Expected one of ${kernelNames().join(', ')}.` : `(Did you mean ${near}?)`,
  );
}

/** The numbers by name. Whether the kernel has such names is for `requireSizes` to say. */
export function parseShape(text: string): Sizes {
  try {
    const sizes = parseSizes(text);
    if (Object.keys(sizes).length > 0) return sizes;
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
  throw new InvalidArgumentError('Expected names and numbers such as m=1728,k=512,n=2048.');
}
