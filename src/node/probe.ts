/**
 * A linear probe from folder names to a run: what `ptdpc probe` does, for programs. An experiment that has its
 * features already calls `probeCell` (src/ptdpc/linear-probe.ts) itself.
 */
import { join } from 'node:path';
import type { TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import type { Backend } from '../kernels/index.js';
import {
  type ClassName,
  type Dataset,
  type FeatureKind,
  imagesOf,
  type LabelledPath,
  type PreprocessChoice,
  type ProbeOptions,
  type ProbeResult,
  probeCell,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { createDirectoryAtomically, writeFileAtomically } from './atomic.js';
import { type EncodedSplit, type EncodingRequest, encodeFiles, type ImageJob, labelled } from './encode-splits.js';
import { describeEncoder, openEncoder } from './image-encoder.js';
import type { SkippedImage } from './image-files.js';
import { PROBE_FILE, probeBytes } from './learned-file.js';
import { writeResult } from './results.js';
import { imageLines, imagesPath, runImages, type SeenImages, seenImages } from './run-images.js';
import { commonRecord, type ProbeRecord, recordJson, trainedOn } from './run-record.js';

export interface ProbeRequest extends ImageJob {
  /** Model directory of a CLIP, or another encoder's checkpoint. */
  readonly model: string;
  readonly features: FeatureKind;
  /** Default: `own`. */
  readonly preprocess?: PreprocessChoice | undefined;
  readonly dataset: Dataset;
  /** Folder to create. */
  readonly out: string;
  readonly options: ProbeOptions;
  /** Learning rates to choose from by validation; undefined: the one of `options`. */
  readonly rates?: readonly number[] | undefined;
  readonly onSkipped?: ((skipped: readonly SkippedImage[], truncated: readonly string[]) => void) | undefined;
}

/** Trains and evaluates a probe; the folder appears whole or not at all. Throws InputError if that is impossible. */
export async function probe(request: ProbeRequest): Promise<ProbeResult> {
  const { dataset, options, rates, memory, out } = request;
  const { root, classes } = dataset;
  if (classes.length < 2) throw new InputError(`${root}: expected at least two classes to tell apart, found one`);
  await using encoder = await openEncoder(request.model, request);
  request.events?.say(`encoder: ${describeEncoder(encoder)}`);
  const train = imagesOf(dataset, 'train');
  const validation = rates && dataset.splits.val;
  if (rates && !validation) {
    request.events?.say(
      `${root}: no validation images; --lr auto holds out a tenth of the training images of each class`,
    );
  }
  const test = imagesOf(dataset, 'test');
  using device = await request.openDevice();
  const engine = new Engine(device.backend);
  const encoding: EncodingRequest = { ...request, engine, model: encoder };
  const encode = async (images: readonly LabelledPath[]) => encodeRaw(encoding, images, classes);
  const encodedTrain = await encode(train);
  const encodedValidation = validation && (await encode(validation));
  const encodedTest = await encode(test);
  const splits = [encodedTrain, encodedValidation, encodedTest];
  request.onSkipped?.(
    splits.flatMap((split) => split?.skipped ?? []),
    splits.flatMap((split) => split?.truncated ?? []),
  );
  const seen = seenImages(runImages('train', encodedTrain, classes, root), encodedTest, 'test');
  if (seen.train > 0)
    request.events?.say(
      `warning: ${seen.train} of ${encodedTest.paths.length} test images are training images too (first ${seen.first}), so the result is not one on unseen images`,
    );
  const { width } = encoder;
  const result = await probeCell({
    ...{ engine, options, rates, width, memory },
    classes: classes.length,
    train: encodedTrain,
    validation: encodedValidation,
    test: encodedTest,
  });
  await writeProbeRun({
    ...{ ...request, out, dataset, options, result, seen },
    ...{ encoder: { directory: request.model, hash: () => encoder.hash() }, backend: device.backend },
    ...{ train: encodedTrain, validation: encodedValidation, test: encodedTest },
  });
  return result;
}

/** A trained probe, and what it was trained and evaluated on. */
export interface ProbeRun {
  /** Folder to create. */
  readonly out: string;
  readonly dataset: Pick<Dataset, 'root' | 'setting' | 'origin' | 'classes'>;
  readonly encoder: { readonly directory: string; hash(): Promise<string> };
  readonly features: FeatureKind;
  readonly preprocess?: PreprocessChoice | undefined;
  readonly backend: Pick<Backend, 'kind' | 'description'>;
  readonly options: ProbeOptions;
  readonly result: ProbeResult;
  readonly train: EncodedSplit;
  readonly validation: EncodedSplit | undefined;
  readonly test: EncodedSplit;
  readonly seen: SeenImages;
  readonly memory: number;
  readonly strict?: boolean | undefined;
  readonly truncated?: TruncatedImages | undefined;
  /** How long it all took. */
  readonly seconds?: number | undefined;
}

/** Writes the run of a probe; its folder appears whole or not at all. */
export async function writeProbeRun(run: ProbeRun): Promise<void> {
  const { out, dataset, options, result, train, validation, test } = run;
  const { root, classes } = dataset;
  const { learningRate, choice, evaluation } = result;
  const record: ProbeRecord = {
    learner: 'probe',
    ...(await commonRecord({ ...run, model: run.encoder })),
    features: run.features,
    preprocess: run.preprocess ?? 'own',
    options: { ...options, learningRate },
    choice,
    ...trainedOn(root, train, validation),
  };
  const images = [
    ...runImages('train', train, classes, root),
    ...(validation ? runImages('val', validation, classes, root) : []),
  ];
  await createDirectoryAtomically(out, async (directory) => {
    await writeFileAtomically(join(directory, 'run.json'), recordJson(record));
    await writeFileAtomically(imagesPath(directory), imageLines(images));
    await writeFileAtomically(join(directory, PROBE_FILE), await probeBytes(result.probe));
    await writeResult(directory, {
      ...{ dataset, classes, evaluation, epochs: options.epochs, seen: run.seen, seconds: run.seconds },
      ...{ split: 'test', images: test, device: run.backend.description },
    });
  });
}

/** Features as the encoder gives them, none of them normalised, with their labels. */
export async function encodeRaw(
  request: EncodingRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): Promise<EncodedSplit> {
  const encoded = await encodeFiles(
    request,
    images.map(({ path }) => path),
  );
  return labelled(encoded, images, classes);
}
