/**
 * Which shapes the kernels really see: one batch of pictures through ViT-B/32, and one step of prompt tuning, both recorded on a
 * device that computes nothing.
 */
import type { ClipConfig } from '../clip/config.js';
import { sizeNames, sizesText } from '../kernels/cases.js';
import { type AnyArgs, type Kernel, type KernelCost, kernelCost } from '../kernels/index.js';
import { dryRun, type Job } from '../ptdpc/dry-run.js';

export type { Job };

/** Calls of one kernel with the same sizes and options. */
export interface RecordedShape {
  readonly kernel: string;
  /** As `--shape` takes it if the laboratory can make the same; for attention: a summary. */
  readonly shape: string;
  readonly calls: number;
  /** Of one call. */
  readonly cost: KernelCost;
}

/** What each job is, for people. */
export const JOBS: Readonly<Record<Job, string>> = {
  embed: 'a batch of 32 images through ViT-B/32',
  train: 'a step of prompt tuning: ViT-B/32, preset paper, 64 images, eight classes',
};

/** Records a job on a CLIP of this configuration, whose weights are halves as OpenAI's are. Takes about a second. */
export async function recordJob(job: Job, config: ClipConfig): Promise<RecordedShape[]> {
  const calls: { kernel: string; shape: string; cost: KernelCost }[] = [];
  await dryRun(job, config, (kernel, args) => {
    calls.push({ kernel: kernel.name, shape: shapeOf(kernel, args), cost: kernelCost(kernel, args) });
  });
  const shapes = new Map<string, RecordedShape>();
  for (const call of calls) {
    const key = `${call.kernel} ${call.shape}`;
    shapes.set(key, { ...call, calls: (shapes.get(key)?.calls ?? 0) + 1 });
  }
  return [...shapes.values()];
}

/** A call's sizes and options by the laboratory's names; all its numbers, where its cases are made from others. */
function shapeOf(kernel: Kernel, args: AnyArgs): string {
  const { extents, options } = sizeNames(kernel);
  if (!Object.keys(extents).every((name) => name in args)) {
    const numbers = Object.entries(args).filter(
      ([name, value]) => typeof value === 'number' && !/Stride|Offset/.test(name),
    );
    return sizesText(Object.fromEntries(numbers) as Record<string, number>);
  }
  const sizes = Object.keys({ ...extents, ...options }).map((name) => [name, sizeOf(name, kernel, args)]);
  return sizesText(Object.fromEntries(sizes), options);
}

/** One size or option of a call. */
function sizeOf(name: string, { operands }: Kernel, args: AnyArgs): number {
  const value = args[name];
  if (name === 'half') {
    const weights = Object.keys(operands).find((operand) => operands[operand]!.type === 'weights')!;
    return Number((args[weights] as { dtype: string }).dtype === 'f16');
  }
  // A number, a flag, or an operand that may be given.
  return typeof value === 'number' ? value : Number(Boolean(value));
}
