/** Exercises for a reader of the kernels: a file to start from (docs/kernels/exercises), and a check that only a right answer passes. */
import { kernelNamed, sizedArgs, suiteOf, type WebGpuBackend } from '../kernels/index.js';
import type { Compilation } from '../kernels/webgpu/programs.js';
import { withoutComments } from '../kernels/webgpu/wgsl-text.js';
import { launchUserKernel, readUserKernel, type UserKernel } from './contract.js';
import type { Parity } from './parity.js';
import { compileAndCheck, type OnStep } from './trial.js';

/** A task for a reader. */
export interface Exercise {
  readonly number: number;
  readonly title: string;
  readonly kernel: string;
  /** The starting file in docs/kernels/exercises. */
  readonly file: string;
  /** Cases, by name, that an answer has to take. */
  readonly required: RegExp;
  /** A further condition on an answer; returns what is wrong. */
  readonly condition?: (answer: UserKernel) => string | undefined;
}

/** A plain product, with operands in any order. */
const PLAIN = String.raw`m=\d+,n=\d+,k=\d+(,transpose[AB]=[01])*(,alpha=0.7)?`;

const MOST_BARRIERS = 4;
const LEAST_COVERED = 256;

/** In the order of docs/kernels/exercises.md. */
export const exercises: readonly Exercise[] = [
  {
    number: 1,
    title: 'Fix a softmax',
    kernel: 'softmax',
    file: '1-fix-a-softmax.wgsl',
    // Rows of up to 199 numbers: one invocation adds them up, which rounds too much for the widest.
    required: /^softmax rows=\d+,columns=(\d{1,2}|1\d\d)\b/,
  },
  {
    number: 2,
    title: 'Fuse a bias',
    kernel: 'matmul',
    file: '2-fuse-a-bias.wgsl',
    required: new RegExp(`^matmul ${PLAIN}(,bias=1)?$`),
  },
  {
    number: 3,
    title: 'Remove barriers, safely',
    kernel: 'softmax',
    file: '3-remove-barriers.wgsl',
    required: /./,
    condition: ({ text }) => {
      const barriers = withoutComments(text).match(/\bworkgroupBarrier\s*\(/g)?.length ?? 0;
      return barriers > MOST_BARRIERS ? `it has ${barriers} barriers; at most ${MOST_BARRIERS} are needed` : undefined;
    },
  },
  {
    number: 4,
    title: 'Four elements per invocation',
    kernel: 'affine',
    file: '4-four-elements-each.wgsl',
    required: /./,
    condition: ({ text, variant: { covers } }) => {
      if (Number(covers) < LEAST_COVERED) return `a workgroup covers ${covers} elements; it should be ${LEAST_COVERED}`;
      return /@workgroup_size\(\s*64u?\s*\)/.test(withoutComments(text))
        ? undefined
        : 'its workgroups do not have 64 invocations';
    },
  },
  {
    number: 5,
    title: 'Read weights in half precision',
    kernel: 'matmul',
    file: '5-read-halves.wgsl',
    required: /^matmul m=\d+,n=\d+,k=\d+(,transpose[AB]=[01])*(,alpha=0.7)?,half=1$/,
  },
];

/** The result of checking an answer. */
export interface ExerciseResult {
  readonly passed: boolean;
  /** What is wrong, in one line; empty if it passed. */
  readonly reason: string;
  readonly compilation?: Compilation;
  readonly parity?: Parity;
}

/** Checks an answer. Throws InputError if the text does not keep the kernel's binding contract. */
export async function checkExercise(
  device: WebGpuBackend,
  { kernel, required, condition }: Exercise,
  file: string,
  text: string,
  onStep: OnStep = () => {},
): Promise<ExerciseResult> {
  const answer = readUserKernel(kernelNamed(kernel), file, text);
  const suite = suiteOf(answer.kernel);
  for (const test of suite) {
    const launch = required.test(test.name) ? launchUserKernel(answer, sizedArgs(test), device.adapter) : undefined;
    if (typeof launch === 'string') return { passed: false, reason: `it does not take ${test.name}: ${launch}` };
  }
  const { compilation, parity } = await compileAndCheck(device, answer, suite, onStep);
  const result = (reason: string | undefined): ExerciseResult => ({
    passed: reason === undefined,
    reason: reason ?? '',
    compilation,
    ...(parity && { parity }),
  });
  if (!parity) return result('it does not compile');
  if (parity.wrong.length > 0) return result(`it is wrong on ${parity.wrong.length} of ${parity.cases} cases`);
  if (parity.unstable.length > 0) return result('its results change from run to run');
  return result(condition?.(answer));
}
