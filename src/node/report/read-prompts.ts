/** What the page of a run shows of its prompts, computed on the run's model. */
import { InputError } from '../../errors.js';
import { ClipModel } from '../../ptdpc/index.js';
import { absentPrompts, type Case, promptsSection, type Section, type WeighedPicture } from '../../report/index.js';
import type { OpenedDevice } from '../device.js';
import { embedFiles } from '../embed-files.js';
import { openRun } from '../tuned-model.js';

export interface PromptsRequest {
  /** Opens the device that computes; not called where there is nothing to compute. */
  readonly openDevice: () => Promise<OpenedDevice>;
  /** Model directory, where it is no longer where the run found it. */
  readonly model?: string | undefined;
  /** Working memory in bytes, beside the weights. */
  readonly memory?: number | undefined;
}

/** Pictures whose weights are shown. */
const MOST_PICTURES = 4;

const NEAREST = { top: 3, skip: ['special', 'fragments'] } as const;

/** The section of a run's prompts. `cases` are pictures to choose from. Where the model is gone, the section says so. */
export async function readPromptsSection(
  run: string,
  cases: readonly Case[],
  { openDevice, model, memory }: PromptsRequest,
): Promise<Section> {
  try {
    await using files = await openRun(run, model);
    using device = await openDevice();
    using clip = new ClipModel(device, files.model, { memory });
    using tuned = await clip.restorePrompts(files.prompts, run);
    const found = tuned.model.perImage ? cases.filter(({ url, path }) => url !== null && path !== undefined) : [];
    const shown = spread(found, MOST_PICTURES);
    const pictures: WeighedPicture[] = [];
    if (shown.length > 0) {
      const { features } = await embedFiles(
        clip,
        shown.map(({ path }) => path!),
        { strict: true },
      );
      const explained = await tuned.explain(features);
      shown.forEach((picture, i) => {
        pictures.push({ ...picture, explanation: explained[i]! });
      });
    }
    return promptsSection({ words: await tuned.nearestWords(NEAREST), pictures });
  } catch (error) {
    if (error instanceof InputError) return absentPrompts(error.message);
    throw error;
  }
}

/** `count` of a list, evenly spread from its first to its last. */
function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.round((i * (all.length - 1)) / (count - 1))]!);
}
