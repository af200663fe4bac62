/** `ptdpc verify` of an encoder that is no CLIP: its tensors, the hash in its name, finite features, and a published check of BEiT. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readFloat32 } from '../clip/checkpoint/index.js';
import { describePreprocessing, type Preprocessing, samePreprocessing } from '../clip/image/index.js';
import { type Check, checkNumbers, failed, notRun, passed } from '../clip/verify/index.js';
import { isRandom } from '../encoders/index.js';
import { encodePixels } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import { findCheckpoint } from './checkpoint-files.js';
import { type Events, SILENT } from './events.js';
import { hashInName } from './hub/published-encoders.js';
import { type ImageEncoder, isEncoderAt, openFrozen } from './image-encoder.js';
import { pixelsFor, readImageFile } from './image-files.js';

/** A published checkpoint of an encoder, and the logits that it gives for a picture. */
export interface KnownEncoder {
  /** Where it is from, and how `--expect` calls it. */
  readonly name: string;
  readonly source: string;
  /** As `LoadableEncoder.architecture` says, with sizes in which it differs from others. */
  readonly architecture: string;
  readonly imageSize: number;
  readonly width: number;
  /** Of the classifier that the checkpoint has beside the encoder, with either naming. */
  readonly classifiers: readonly string[];
  readonly picture: string;
  readonly preprocessing: Preprocessing;
  /** The first logits, and the place of the largest. */
  readonly logits: readonly number[];
  readonly largest: number;
}

const HALF = [0.5, 0.5, 0.5] as const;

/** The integration test of BEiT in transformers (`tests/models/beit/test_modeling_beit.py`), whose tolerance is 1e-4. */
export const BEIT_B16: KnownEncoder = {
  name: 'BEiT-B/16',
  source: 'microsoft/beit-base-patch16-224',
  architecture: 'BEiT',
  imageSize: 224,
  width: 768,
  classifiers: ['classifier', 'head'],
  picture: '000000039769.jpg of COCO val2017',
  preprocessing: {
    ...{ size: 224, resize: 224, shape: 'squash', filter: 'bilinear', toRgb: 'before' },
    ...{ mean: HALF, std: HALF },
  },
  logits: [-1.2385, -1.0987, -1.0108],
  largest: 281,
};

/** The published logits are rounded to four decimals; the decoder of the picture and the order of sums differ. */
const TOLERANCE = 2e-3;

export interface VerifyEncoderOptions {
  /** Asked for only when the weights are in order. */
  readonly engine: () => Promise<Engine>;
  readonly known?: KnownEncoder;
  /** The user says that it is the known checkpoint. */
  readonly expectKnown?: boolean;
  /** Path of the known checkpoint's picture. */
  readonly image?: string | undefined;
  readonly events?: Pick<Events, 'progress'> | undefined;
}

/**
 * Runs all checks; undefined if the checkpoint is not of a family of src/encoders. Throws InputError as `openFrozen` does, and if the
 * picture cannot be read.
 */
export async function verifyEncoder(path: string, options: VerifyEncoderOptions): Promise<Check[] | undefined> {
  // Whatever else it is, a model directory among them, is reported as a CLIP that cannot be opened.
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
  if (!isFile && !(await isEncoderAt(path))) return undefined;
  await using encoder = await openFrozen(path);
  if (!encoder) return undefined;
  const { architecture, family, width, weights, config } = encoder;
  const size = `${config.imageSize} x ${config.imageSize} pixels`;
  const checks = [
    passed('shapes', `${architecture} (${family}): ${size} to ${width} numbers, all tensors there`),
    await checkName(path, encoder),
    checkPreprocessingOf(encoder),
  ];
  const tensors = weights.names().map((name) => ({ name, shape: weights.shape(name) }));
  const { events = SILENT } = options;
  {
    using bar = events.progress(tensors.length, 'reading weights', 'tensors');
    checks.push(...(await checkNumbers(weights, tensors, () => bar.tick(1))));
  }
  if (checks.some(({ name, outcome }) => name === 'finite weights' && outcome === 'failed')) {
    const why = 'some weights are not finite';
    return [...checks, notRun('finite features', why), notRun('reference numbers', why)];
  }
  const engine = await options.engine();
  return [...checks, await checkForward(engine, encoder), await checkKnown(engine, encoder, options)];
}

async function checkName(path: string, encoder: ImageEncoder): Promise<Check> {
  if (isRandom(encoder.weights)) return failed('name', 'its file says that its weights are random: a stand-in');
  const { weights } = await findCheckpoint(path);
  const said = hashInName(weights[0]!);
  // That it is another one has been refused.
  return said === undefined
    ? notRun('name', `${basename(weights[0]!)} says no hash`)
    : passed('name', `${said} begins the SHA-256 of ${basename(weights[0]!)}`);
}

function checkPreprocessingOf({ preprocessing, usual, architecture }: ImageEncoder): Check {
  const said = describePreprocessing(preprocessing);
  return samePreprocessing(preprocessing, usual)
    ? passed('preprocessing', `${said}, as usual for ${architecture}`)
    : passed('preprocessing', `${said}, as the file beside it says; usual is: ${describePreprocessing(usual)}`);
}

/** Two pictures: finite features, and not the same ones. */
async function checkForward(engine: Engine, encoder: ImageEncoder): Promise<Check> {
  const { size } = encoder.preprocessing;
  const pictures = [
    Int32Array.from({ length: size * size }, () => 0x808080),
    Int32Array.from({ length: size * size }, (_, i) => (i * 2654435761) & 0xffffff),
  ];
  using tower = await encoder.load(engine);
  const { features } = await encodePixels(tower, 'pooled', pictures, encoder.preprocessing);
  if (!features.every(Number.isFinite)) return failed('finite features', 'NaN or infinite features of pictures');
  const half = features.length / 2;
  const same = features.subarray(0, half).every((value, at) => value === features[half + at]);
  return same
    ? failed('finite features', 'two different pictures have the same features')
    : passed('finite features', 'of two pictures, and they differ');
}

async function checkKnown(engine: Engine, encoder: ImageEncoder, options: VerifyEncoderOptions): Promise<Check> {
  const { known = BEIT_B16, expectKnown = false, image } = options;
  const name = 'reference numbers';
  const otherwise = (why: string) => (expectKnown ? failed : notRun)(name, why);
  const { architecture, config, weights } = encoder;
  if (architecture !== known.architecture)
    return otherwise(`none are published for ${architecture}; known are those of ${known.source}`);
  const { stored } = weights;
  const classifier = stored.names().find((stored) => known.classifiers.some((own) => stored.endsWith(`${own}.weight`)));
  if (config.imageSize !== known.imageSize || config.width !== known.width || classifier === undefined)
    return otherwise(`not ${known.source}: other sizes, or no classifier`);
  if (image === undefined)
    return otherwise(`need the picture ${known.picture} (--image) and the weights of ${known.source}`);
  const matrix = await readFloat32(stored, classifier);
  const bias = await readFloat32(stored, classifier.replace(/weight$/, 'bias'));
  const { pixels } = await pixelsFor(known.preprocessing, await readImageFile(image), image);
  using tower = await encoder.load(engine);
  const { features } = await encodePixels(tower, 'pooled', [pixels], known.preprocessing);
  const logits = Array.from(bias, (value, c) =>
    features.reduce((sum, feature, i) => sum + feature * matrix[c * features.length + i]!, value),
  );
  const found = known.logits.map((_, c) => logits[c] ?? Number.NaN);
  const largest = logits.indexOf(Math.max(...logits));
  const off = Math.max(...known.logits.map((expected, c) => Math.abs(expected - found[c]!)));
  const said = `first logits ${found.map((logit) => logit.toFixed(4)).join(', ')}, largest at ${largest}; published for ${known.picture}: ${known.logits.join(', ')}, ${known.largest} (${known.source})`;
  if (off <= TOLERANCE && largest === known.largest) return passed(name, said);
  return otherwise(`not those of ${known.source} on this picture: ${said}`);
}
