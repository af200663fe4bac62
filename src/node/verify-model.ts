/**
 * `ptdpc verify` without its printing: every check of a model directory, those that could not be run among them.
 *
 * Whether a checkpoint is a published one is decided by its file's hash, by what the user says, or by its behaviour: where any
 * of the published numbers comes out under either activation, it is that checkpoint, and then all of them must.
 */
import { join } from 'node:path';
import { CONFIG_FILES } from '../clip/checkpoint/index.js';
import { ARCHITECTURES, type ClipConfig, clipTensors, firstDifference, unusedTensors } from '../clip/config.js';
import { describePreprocessing } from '../clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import {
  type Check,
  checkWeights,
  type Deviation,
  deviations,
  failed,
  notRun,
  OPENAI_VIT_B32,
  passed,
  type ReferenceNumbers,
} from '../clip/verify/index.js';
import { InputError, printable } from '../errors.js';
import { DEFAULT_MEMORY, encodePixels, normalizedFeatures, zeroShotLogits } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import { exists } from './checkpoint-files.js';
import { type Events, SILENT } from './events.js';
import { pixelsFor, readImageFile } from './image-files.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';

/** A published checkpoint: how to tell it, and what it computes. */
export interface KnownCheckpoint {
  readonly numbers: ReferenceNumbers;
  readonly config: ClipConfig;
  /** SHA-256 of the files that it is published in. */
  readonly hashes: readonly string[];
  /** CLIP.png of its repository: probabilities of three texts. */
  readonly picture?: { readonly texts: readonly string[]; readonly probabilities: readonly number[] };
}

export const OPENAI_B32: KnownCheckpoint = {
  numbers: OPENAI_VIT_B32,
  config: ARCHITECTURES.get('ViT-B/32')!,
  hashes: ['a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f'],
  // README.md of openai/CLIP.
  picture: { texts: ['a diagram', 'a dog', 'a cat'], probabilities: [0.9927937, 0.00421068, 0.00299572] },
};

export interface VerifyOptions {
  /** Asked for only when the weights are in order. */
  readonly engine: () => Promise<Engine>;
  readonly known?: KnownCheckpoint;
  /** The user says that it is the known checkpoint. */
  readonly expectKnown?: boolean;
  /** Path of CLIP.png. */
  readonly image?: string | undefined;
  /** Called with the progress of reading the weights. */
  readonly events?: Pick<Events, 'progress'> | undefined;
}

/**
 * How far a number may be off, in units of max(1, |expected|): the published ones are rounded to four decimals, and
 * copies in half precision round every weight.
 */
const TOLERANCES: ReadonlyMap<string, number> = new Map([
  ['F16', 1e-2],
  ['BF16', 5e-2],
]);
const TOLERANCE = 1e-3;

/** Published to four significant digits of computations in half precision. */
const PROBABILITY_TOLERANCE = 3e-3;

/** Runs all checks. Throws InputError only if there is nothing to check, or the image cannot be read. */
export async function verifyModel(directory: string, options: VerifyOptions): Promise<Check[]> {
  let model: ModelDirectory;
  try {
    model = await openModelDirectory(directory);
  } catch (error) {
    const files = await Promise.all(CONFIG_FILES.map((name) => exists(join(directory, name))));
    if (!(error instanceof InputError) || !files.some(Boolean)) throw error;
    const why = 'the model cannot be opened';
    return [failed('shapes', error.message), ...REST.map((name) => notRun(name, why))];
  }
  await using _ = model;
  const { configFile } = model.description;
  const unused = unusedTensors(model.clip, model.config);
  const beside = unused.length > 0 ? `; not used: ${listedNames(unused)}` : '';
  const sizes = passed('shapes', `as ${configFile} says: ${describeSizes(model.config)}${beside}`);
  const checks = [sizes, checkPictures(model)];
  checks.push(...(await readWeights(model, options.events ?? SILENT)));
  checks.push(await checkVocabulary(model));
  if (checks.some(({ name, outcome }) => name === 'finite weights' && outcome === 'failed')) {
    return [...checks, ...REST.slice(-4).map((name) => notRun(name, 'some weights are not finite'))];
  }
  const engine = await options.engine();
  checks.push(await checkForward(engine, model));
  checks.push(...(await checkAgainstKnown(engine, model, options)));
  return checks;
}

async function readWeights({ clip, config }: ModelDirectory, events: Pick<Events, 'progress'>): Promise<Check[]> {
  using bar = events.progress(clipTensors(config).length, 'reading weights', 'tensors');
  return await checkWeights(clip, config, () => bar.tick(1));
}

const REST = [
  'preprocessing',
  'finite weights',
  'filled weights',
  'logit scale',
  'vocabulary',
  'finite features',
  'activation',
  'reference numbers',
  'picture',
];

function listedNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(printable).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function describeSizes({ vision, text, projectionDim }: ClipConfig): string {
  return `${vision.layers} + ${text.layers} layers, widths ${vision.width} and ${text.width}, joint width ${projectionDim}, patches of ${vision.patchSize}`;
}

/** What cannot be tested on weights: the image preprocessing, and which file defines it. */
function checkPictures({ preprocessing, description }: ModelDirectory): Check {
  const { preprocessingFile, otherwise } = description;
  const said = describePreprocessing(preprocessing);
  if (preprocessingFile === undefined) return notRun('preprocessing', `not specified; using OpenAI's: ${said}`);
  const others = otherwise.length > 0 ? ` (${otherwise.join(' and ')} says otherwise)` : '';
  return passed('preprocessing', `${said}, as ${preprocessingFile} says${others}`);
}

async function checkVocabulary(model: ModelDirectory): Promise<Check> {
  const name = 'vocabulary';
  try {
    const tokenizer = await model.tokenizer();
    const ids = tokenizer.encodeText('a photo of a cat', model.config.text.context);
    const { sot, eot } = tokenizer;
    const spare = model.config.text.vocabularySize - Math.max(sot, eot) - 1;
    const beyond = spare > 0 ? `; the table has ${spare} rows beyond it` : '';
    const special = `texts begin with ${sot} and end with ${eot}${beyond}`;
    const expected = OPENAI_VIT_B32.text.ids;
    if (sot !== expected[0] || eot !== expected.at(-1)) return passed(name, `it fits the token embedding: ${special}`);
    if (ids.join() === expected.join()) return passed(name, `"a photo of a cat" is [${ids.join(', ')}]${beyond}`);
    return failed(name, `"a photo of a cat" should be [${expected.join(', ')}], found [${ids.join(', ')}]`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return failed(name, error.message);
  }
}

/** Two pictures and two texts: finite features, and not the same ones. */
async function checkForward(engine: Engine, { clip, config }: ModelDirectory): Promise<Check> {
  const { imageSize } = config.vision;
  const side = 3 * imageSize ** 2;
  const pixels = Float32Array.from({ length: 2 * side }, (_, i) => (i < side ? 0.5 : Math.sin(i / 7)));
  const texts = [
    [0, 1, 2],
    [0, 2, 1],
  ];
  const features: Float32Array[] = [];
  {
    using tower = await VisionTower.load(engine, clip, config);
    const result = engine.scope(() => tower.encode(engine.tensor(pixels, [2, 3, imageSize, imageSize])));
    result.pooled.dispose();
    using images = result.features;
    features.push(await images.read());
  }
  {
    using tower = await TextTower.load(engine, clip, config);
    using encoded = await tower.encodeTokens(texts, new TokenEmbeddings(clip));
    features.push(await encoded.read());
  }
  for (const [i, what] of ['pictures', 'texts'].entries()) {
    const values = features[i]!;
    const half = values.length / 2;
    if (!values.every(Number.isFinite)) return failed('finite features', `NaN or infinite features of ${what}`);
    if (values.subarray(0, half).every((value, at) => value === values[half + at])) {
      return failed('finite features', `two different ${what} have the same features`);
    }
  }
  return passed('finite features', 'of two pictures and two texts, and they differ');
}

async function checkAgainstKnown(engine: Engine, model: ModelDirectory, options: VerifyOptions): Promise<Check[]> {
  const { known = OPENAI_B32, expectKnown = false, image } = options;
  const { numbers } = known;
  const claimed = model.config.activation;
  const otherwise = (reason: string): Check[] => [
    notRun('activation', `config.json says ${claimed}; no reference to compare with: not ${numbers.model} (${reason})`),
    expectKnown
      ? failed('reference numbers', `not ${numbers.model} (${reason})`)
      : notRun('reference numbers', `not applicable: not ${numbers.model} (${reason})`),
    notRun('picture', `not applicable: not ${numbers.model}`),
  ];
  if (!sameSizes(model.config, known.config)) return otherwise('other sizes');

  const measure = (activation: ClipConfig['activation']) =>
    deviations({ engine, clip: model.clip, config: { ...model.config, activation } }, numbers);
  const tolerance = toleranceOf(model);
  const reproduced = ({ error }: Deviation) => error <= tolerance;
  const found = await measure(claimed);
  const other = claimed === 'gelu' ? 'quick_gelu' : 'gelu';
  const othersFound = found.every(reproduced) ? [] : await measure(other);
  const isKnown = expectKnown || known.hashes.includes(await model.hash());
  if (!isKnown && !found.some(reproduced) && !othersFound.some(reproduced)) {
    return otherwise(`none of its numbers comes out: ${listed(found)}`);
  }
  const isOther = !found.every(reproduced) && othersFound.every(reproduced);
  const right = claimed === known.config.activation;
  return [
    isOther || !right
      ? failed('activation', `config.json says ${claimed}, ${numbers.model} has ${known.config.activation}`)
      : passed('activation', `${claimed}, as ${numbers.model} has`),
    (found.every(reproduced) ? passed : failed)(
      'reference numbers',
      `${listed(found)}; at most ${tolerance} (${numbers.source})${isOther ? `; with ${other} they come out` : ''}`,
    ),
    await checkPicture(engine, model, known, image),
  ];
}

async function checkPicture(
  engine: Engine,
  model: ModelDirectory,
  { picture }: KnownCheckpoint,
  image: string | undefined,
): Promise<Check> {
  const name = 'picture';
  if (!picture) return notRun(name, 'nothing is published');
  if (image === undefined) return notRun(name, 'needs CLIP.png of the repository openai/CLIP (--image)');
  const { preprocessing } = model;
  const { pixels } = await pixelsFor(preprocessing, await readImageFile(image), image);
  let features: Float32Array;
  {
    using tower = await VisionTower.load(engine, model.clip, model.config);
    const encoded = await encodePixels(tower, 'joint', [pixels], preprocessing);
    features = normalizedFeatures(encoded.features, model.config.projectionDim);
  }
  using tower = await TextTower.load(engine, model.clip, model.config);
  const tokenizer = await model.tokenizer().catch(() => undefined);
  if (!tokenizer) return notRun(name, 'there is no vocabulary');
  const embeddings = new TokenEmbeddings(model.clip);
  const probabilities = softmax(
    await zeroShotLogits(tower, embeddings, tokenizer, picture.texts, features, DEFAULT_MEMORY),
  );
  const error = Math.max(...picture.probabilities.map((expected, i) => Math.abs(expected - probabilities[i]!)));
  const shown = picture.texts.map((text, i) => `"${text}" ${probabilities[i]!.toFixed(5)}`).join(', ');
  const expected = picture.probabilities.map((value) => value.toFixed(5)).join(', ');
  return (error <= PROBABILITY_TOLERANCE ? passed : failed)(name, `${shown}; published for CLIP.png: ${expected}`);
}

function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const powers = [...logits].map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function sameSizes(a: ClipConfig, { activation, layerNormEpsilon, ...sizes }: ClipConfig): boolean {
  return (
    firstDifference({ ...a, activation, layerNormEpsilon }, { ...sizes, activation, layerNormEpsilon }) === undefined
  );
}

function toleranceOf({ clip }: ModelDirectory): number {
  // Norms may be stored in full precision if the matrices are not.
  return TOLERANCES.get(clip.dtype('visual_projection.weight')) ?? TOLERANCE;
}

function listed(found: readonly Deviation[]): string {
  return found.map(({ name, error }) => `${name} off by ${error.toPrecision(2)}`).join(', ');
}
