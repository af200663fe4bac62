/** What a run has learned, put to use: predictions for new images, and explanations of its prompts. */
import {
  ClipModel,
  type ExplainOptions,
  explainPrompts,
  type ImageExplanation,
  normalizedFeatures,
  type PromptExplanation,
  predictionsOf,
  textOfPrompts,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { isPromptsFile, openClassifier, openRun } from './classifier.js';
import { isDemoModel } from './demo-scenes.js';
import { encodeFiles, type ImageJob } from './encode-splits.js';
import { scoreInBlocks } from './evaluate-blocks.js';
import { SILENT } from './events.js';
import { listImages, type SkippedImage } from './image-files.js';
import { readRunRecord } from './run-record.js';

/** A run and the images to use it on. */
export interface UseRequest extends ImageJob {
  /** Folder of the run, or a prompts.safetensors alone with `model`. */
  readonly run: string;
  /** Model directory. Default: the run's. */
  readonly model?: string | undefined;
  /** Image files, and folders of them. */
  readonly images: readonly string[];
}

/** The image files that were skipped, and those that were read though they are truncated. */
export interface FileNotes {
  readonly skipped: readonly SkippedImage[];
  readonly truncated: readonly string[];
}

/** The prediction for an image file. */
export interface FilePrediction {
  readonly path: string;
  /** The class word of the largest probability. */
  readonly predicted: string;
  /** By class word. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** Images whose predictions are passed on at once. */
const PREDICTED_AT_ONCE = 256;

/** Predicts the class of image files with a run of any learner. Throws InputError if none of them can be read. */
export async function predictFiles(
  request: UseRequest,
): Promise<FileNotes & { readonly predictions: readonly FilePrediction[] }> {
  const predictions: FilePrediction[] = [];
  const notes = await predictEach(request, {
    predicted: (some) => {
      for (const one of some) predictions.push(one);
    },
  });
  return { predictions, ...notes };
}

/** Who is told of predictions as they come, in the order of the files. */
export interface PredictionReceiver {
  /** Called first, with the files and the class words. */
  begin?(paths: readonly string[], words: readonly string[]): void;
  /** Called with some hundred predictions. */
  predicted(predictions: readonly FilePrediction[]): Promise<void> | void;
}

const ONLY_SCENES =
  "note: the demonstration's model has learned from drawn scenes only, so its answers for photographs mean little; for those use a real " +
  'CLIP: npx ptdpc fetch ViT-B/32 --out clip-vit-b32';

/** The same for any number of images: predictions are passed on as they come, and not kept. */
export async function predictEach(request: UseRequest, receiver: PredictionReceiver): Promise<FileNotes> {
  await using classifier = await openClassifier(request.run, request);
  const { record } = classifier;
  const images = await listImages(request.images);
  const model = request.model ?? record?.model.directory;
  if (model !== undefined && (await isDemoModel(model))) (request.events ?? SILENT).say(ONLY_SCENES);
  using device = await request.openDevice();
  const engine = new Engine(device.backend);
  const truncated = request.truncated ?? record?.truncated;
  const words = classifier.classes.map(({ word }) => word);
  const notes = { skipped: [] as SkippedImage[], truncated: [] as string[] };
  receiver.begin?.(images, words);
  const scoring = { ...request, engine, device, classifier, truncated };
  for await (const block of scoreInBlocks(scoring, images, PREDICTED_AT_ONCE)) {
    const { classes, probabilities, predicted } = predictionsOf(words, block.logits);
    for (const image of block.skipped) notes.skipped.push(image);
    for (const path of block.truncated) notes.truncated.push(path);
    if (block.paths.length === 0) continue;
    await receiver.predicted(
      block.paths.map((path, i) => ({
        path,
        predicted: classes[predicted[i]!]!,
        probabilities: Object.fromEntries(classes.map((word, c) => [word, probabilities[i * classes.length + c]!])),
      })),
    );
  }
  return notes;
}

/** An image file's probabilities and weights. */
export type ExplainedImage = ImageExplanation & { readonly path: string };

/** The nearest words of the prompts of a run, and for each image its weights. Throws InputError for runs without prompts. */
export async function explainRun(
  request: UseRequest & Omit<ExplainOptions, 'memory' | 'onProgress'>,
): Promise<FileNotes & { readonly prompts: PromptExplanation; readonly images: readonly ExplainedImage[] }> {
  const { run: folder, memory, top, metric, skip, events = SILENT } = request;
  await using run = await openRun(folder, request);
  await textOfPrompts(run.prompts, run.model);
  const paths = request.images.length === 0 ? [] : await listImages(request.images);
  using device = await request.openDevice();
  using clip = new ClipModel(device, run.model, { memory });
  const explained = await explainImages();
  const { engine, source, tokenEmbeddings: embeddings } = clip;
  using bar = events.progress(embeddings.count, 'comparing', 'tokens');
  const words = { top, metric, skip, memory, onProgress: (tokens: number) => bar.tick(tokens) };
  const prompts = await explainPrompts(engine, run.prompts, await source.tokenizer(), embeddings, words);
  return { prompts, ...explained };

  async function explainImages() {
    if (paths.length === 0) return { images: [], skipped: [], truncated: [] };
    const record = (await isPromptsFile(folder)) ? undefined : await readRunRecord(folder);
    const truncated = request.truncated ?? record?.truncated;
    const encoded = await encodeFiles({ ...request, engine: clip.engine, model: run.model, truncated }, paths);
    using tuned = await clip.restorePrompts(run.prompts, folder);
    const images = await tuned.explain(normalizedFeatures(encoded.features, clip.width));
    return {
      images: images.map((image, i) => ({ path: encoded.paths[i]!, ...image })),
      skipped: encoded.skipped,
      truncated: encoded.truncated,
    };
  }
}
