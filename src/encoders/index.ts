/** The encoders that this program can run: `encoder` is the interface, every other file an architecture, listed here. */
import type { Checkpoint } from '../clip/checkpoint/index.js';
import { ALEXNET } from './alexnet.js';
import { BEIT } from './beit.js';
import { type EncoderConfig, type EncoderFamily, type LoadableEncoder, loadable } from './encoder.js';
import { RESNET } from './resnet.js';
import { VGG } from './vgg.js';
import { VISION_TRANSFORMER } from './vision-transformer.js';

export { ALEXNET } from './alexnet.js';
export { BEIT } from './beit.js';
export {
  type EncoderConfig,
  type EncoderFamily,
  type EncoderKind,
  type EncoderMemory,
  type EncoderTower,
  encoderMemory,
  isRandom,
  type LoadableEncoder,
  loadable,
  pixelBytes,
  RANDOM_WEIGHTS,
} from './encoder.js';
export { RESNET } from './resnet.js';
export { VGG } from './vgg.js';
export { VISION_TRANSFORMER } from './vision-transformer.js';

/** A family whose sizes only it knows. */
interface Reader {
  readonly name: string;
  recognises(names: readonly string[]): boolean;
  read(checkpoint: Checkpoint): LoadableEncoder;
}

function reader<C extends EncoderConfig>(family: EncoderFamily<C>): Reader {
  return {
    name: family.name,
    recognises: (names) => family.recognises(names),
    read: (checkpoint) => loadable(family, family.read(checkpoint)),
  };
}

/** The first one that recognises a checkpoint reads it, so what has more names of its own comes first. */
const READERS: readonly Reader[] = [
  reader(BEIT),
  reader(VISION_TRANSFORMER),
  reader(ALEXNET),
  reader(VGG),
  reader(RESNET),
];

/**
 * Reads a checkpoint as an encoder; undefined if its names are of no family, as a CLIP's. Throws InputError naming the offending tensor if
 * it is of a family, and damaged or of another make.
 */
export function readEncoder(checkpoint: Checkpoint): LoadableEncoder | undefined {
  return readerOf(checkpoint)?.read(checkpoint);
}

/** Whether the tensor names are those of a family; `readEncoder` may still refuse the checkpoint. */
export function isEncoder(checkpoint: Pick<Checkpoint, 'names'>): boolean {
  return readerOf(checkpoint) !== undefined;
}

function readerOf(checkpoint: Pick<Checkpoint, 'names'>): Reader | undefined {
  const names = checkpoint.names();
  // A CLIP may have an image tower with such names; it is read as a whole, or not at all.
  if (names.some((name) => /(?:^|\.)logit_scale$/.test(name))) return undefined;
  return READERS.find((family) => family.recognises(names));
}

/** The families by name, for messages that say what is expected. */
export const ENCODER_FAMILIES: readonly string[] = READERS.map(({ name }) => name);
