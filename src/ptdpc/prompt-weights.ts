/** The weights of images on their own, for those who want to see them: Eq. 3's w[i][j]. */
import { ROW_SHARE, tooLittleMemory } from './budget.js';
import type { PromptModel } from './prompt-model.js';

/**
 * The weights w[i][j] of images by their normalised features [count, width]: [count, prompts, tokens], or null in the modes `cs` and
 * `none`, where no prompt depends on the image. `memory` in bytes. Throws InputError if it does not hold one image's.
 */
export async function promptWeights(
  model: PromptModel,
  features: Float32Array,
  memory: number,
): Promise<Float32Array | null> {
  if (!model.perImage) return null;
  const { engine } = model;
  const [prompts = 0, tokens = 0, width = 0] = model.prompts.shape;
  const count = features.length / width;
  using _limit = engine.workWithin(memory);
  const rest = engine.backend.memory.fixedBytes + 3 * 4 * model.prompts.size;
  const bytesPerImage = 4 * (2 * width + 3 * prompts * tokens);
  const most = Math.floor(((memory - rest) * ROW_SHARE) / bytesPerImage);
  if (most < 1) throw tooLittleMemory("to weight one image's prompts takes", bytesPerImage / ROW_SHARE + rest, memory);
  const weights = new Float32Array(count * prompts * tokens);
  for (let start = 0; start < count; start += most) {
    const images = Math.min(most, count - start);
    const data = features.subarray(start * width, (start + images) * width);
    using part = engine.scope(() => model.weights(engine.tensor(data, [images, width])));
    weights.set(await part.read(), start * prompts * tokens);
  }
  return weights;
}
