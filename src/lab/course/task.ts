/** A task of the course: what is given, what is asked, and the cases that an answer is held against. */
import { caseOf } from '../../kernels/cases.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type CaseData,
  type Covers,
  type Kernel,
  type KernelCase,
  kernel,
  type Operands,
  type Sizes,
  type TwinArgs,
} from '../../kernels/index.js';
import { TOLERANCE } from '../compare.js';
import type { UserKernel } from '../contract.js';
import { starts } from './starts.generated.js';

/** What a reader of a task sees. */
interface Text {
  /** Also the name of its file. */
  readonly id: string;
  readonly title: string;
  /** How long it takes, roughly. */
  readonly minutes: number;
  readonly statement: string;
  /** Each says more than the one before. */
  readonly hints: readonly string[];
  /** How far an element may be off, relative to the largest number of its output. Default: 2e-6. */
  readonly tolerance?: number;
  /** Where the tolerance is from, if it is not the usual one. */
  readonly why?: string;
}

/** A task for a reader of the kernels. */
export interface Task extends Text {
  readonly track: string;
  /** Of the exercises that had one. */
  readonly number?: number;
  /** The starting file, below docs/kernels/exercises. */
  readonly file: string;
  readonly tolerance: number;
  readonly kernel: Kernel;
  readonly cases: readonly KernelCase[];
  /** A further condition on an answer; returns what is wrong. `invocations` of a workgroup: undefined if the text does not tell. */
  readonly condition?: (answer: UserKernel, invocations: number | undefined) => string | undefined;
}

/** Tasks that belong together, from the easiest on. */
export interface Track {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly tasks: readonly Task[];
}

/** A task before it has its track. */
export type Draft = Omit<Task, 'track' | 'file'> & { readonly file?: string };

/** A kernel declared for one task alone. */
interface Own<O extends Operands, S extends Sizes> extends Text {
  readonly operands: O;
  readonly scalars?: S;
  /** The definition in plain TypeScript. */
  twin(args: TwinArgs<{ operands: NoInfer<O>; scalars: NoInfer<S>; options: Record<never, never> }>): void;
  /** A workgroup's share in the starting file. */
  readonly covers: Covers;
  /** What a share is counted in: by default elements of the output, of which a call has its length. */
  readonly unit?: 'element' | 'row';
  units(args: ArgsOf<{ operands: NoInfer<O>; scalars: NoInfer<S>; options: Record<never, never> }>): Covers;
  /** Operands that are not random numbers in [-1, 1). */
  data?(d: CaseData, sizes: Sizes): Record<string, unknown>;
  readonly cases: readonly Sizes[];
  readonly condition?: Task['condition'];
}

/** A task whose kernel is of its own. The starting file is its first variant, and so tells the contract. */
export function task<const O extends Operands, const S extends Sizes = Record<never, never>>(given: Own<O, S>): Draft {
  const { id, operands, scalars, twin, covers, unit = 'element', units, data, cases, condition, ...text } = given;
  const own = kernel<O, S>({
    name: id.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    formula: given.title,
    operands,
    ...(scalars && { scalars }),
    twin,
    variants: [{ name: 'start', wgsl: startOf(id), covers }],
    unit,
    units,
    cases: {
      sizes: cases[0]!,
      variations: Object.fromEntries(cases.flatMap((one) => Object.keys(one).map((name) => [name, 0]))),
      ...(data && { data: data as never }),
      suite: cases,
    },
  });
  return drafted({ ...text, id, ...(condition && { condition }) }, anyKernel(own), cases);
}

/** A task about a kernel that the library ships. */
export function shippedTask(
  text: Text & Pick<Task, 'condition' | 'number'> & { readonly file?: string },
  shipped: Kernel,
  cases: readonly Sizes[],
): Draft {
  return drafted(text, shipped, cases);
}

function drafted(text: Text & Pick<Task, 'condition' | 'number'>, of: Kernel, cases: readonly Sizes[]): Draft {
  return { tolerance: TOLERANCE, ...text, kernel: of, cases: cases.map((sizes) => caseOf(of, sizes)) };
}

export function track(id: string, title: string, about: string, drafts: readonly Draft[]): Track {
  const tasks = drafts.map((draft): Task => ({ file: `${id}/${draft.id}.wgsl`, ...draft, track: id }));
  return { id, title, about, tasks };
}

/** The starting file of a task. Throws Error if there is none. */
export function startOf(id: string): string {
  const text = (starts as Readonly<Record<string, string>>)[id];
  if (text === undefined) throw new Error(`the task ${id} has no starting file`);
  return text;
}

/** Numbers by a rule. */
export function numbers(length: number, of: (i: number) => number): number[] {
  return Array.from({ length }, (_, i) => of(i));
}

/** A number of a call. */
export function numberOf(args: AnyArgs, name: string): number {
  return Number(args[name]);
}
