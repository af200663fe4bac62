/** What the page of a run shows of its prompts, computed on the run's model. */
import { InputError } from '../../errors.js';
import type { PromptOptions } from '../../learners/prompts/index.js';
import { ClipModel, isPerImage, type TunedPrompts } from '../../ptdpc/index.js';
import { absentPrompts, type Case, promptsSection, type Section, type WeighedPicture } from '../../report/index.js';
import { openRun } from '../classifier.js';
import type { OpenedDevice } from '../device.js';
import { embedFiles } from '../encode-splits.js';

export interface PromptsRequest {
  /** Opens the device that computes; not called if there is nothing to compute. */
  readonly openDevice: () => Promise<OpenedDevice>;
  /** Model directory. Default: the one recorded in the run. */
  readonly model?: string | undefined;
  /** Working memory in bytes, beside the weights. */
  readonly memory?: number | undefined;
}

/** Pictures whose weights are shown. */
const MOST_PICTURES = 4;

const NEAREST = { top: 3, skip: ['special', 'fragments'] } as const;

/**
 * The section of a run's prompts. `cases` are pictures to choose from. Where the run's model is gone, or is another one, the section says
 * so. Throws InputError if the device or the memory does not suffice.
 */
export async function readPromptsSection(
  run: string,
  cases: readonly Case[],
  { openDevice, model, memory }: PromptsRequest,
): Promise<Section> {
  const files = await openRun(run, { model }).catch((error: unknown) => {
    if (error instanceof InputError) return error;
    throw error;
  });
  if (files instanceof InputError) return absentPrompts(files.message);
  await using opened = files;
  using device = await openDevice();
  using clip = new ClipModel(device, opened.model, { memory });
  using tuned = await clip.restorePrompts(opened.prompts, run);
  const found = isPerImage(tuned.model.options.mode)
    ? cases.filter(({ url, path }) => url !== null && path !== undefined)
    : [];
  const pictures = await weigh(clip, tuned, spread(found, MOST_PICTURES));
  return promptsSection({ words: await tuned.nearestWords(NEAREST), pictures });
}

async function weigh(
  clip: ClipModel,
  tuned: TunedPrompts<PromptOptions>,
  shown: readonly Case[],
): Promise<WeighedPicture[]> {
  if (shown.length === 0) return [];
  const paths = shown.map(({ path }) => path!);
  const { features } = await embedFiles(clip, paths, { strict: true, truncated: 'read' });
  const explained = await tuned.explain(features);
  return shown.map((picture, i) => ({ ...picture, explanation: explained[i]! }));
}

/** `count` of a list, evenly spread from its first to its last. */
function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.round((i * (all.length - 1)) / (count - 1))]!);
}
