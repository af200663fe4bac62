/** Pictures to features, decoded as the command line decodes them: a canvas would resample and manage colours in its own way. */
import { type DecodedImage, decodeImage } from '../../src/clip/image/index.js';
import { demoScene } from '../../src/demo/index.js';
import { InputError } from '../../src/errors.js';
import type { ClipModel } from '../../src/ptdpc/index.js';
import { span } from '../../src/trace.js';
import type { Picture, Progress, SceneName } from '../protocol.js';
import { letMessagesIn } from './tasks/task.js';

/** Features of the pictures that can be read, and why the others cannot. */
export interface EmbeddedPictures {
  /** [pictures read, width], in the pictures' order. */
  readonly features: Float32Array;
  /** By the picture's place. */
  readonly refused: ReadonlyMap<number, string>;
}

interface Watched {
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** What is being done, for people. */
  readonly what?: string;
}

export async function embedPictures(
  clip: ClipModel,
  pictures: readonly Picture[],
  { signal, progress, what = 'looking at pictures' }: Watched,
): Promise<EmbeddedPictures> {
  const refused = new Map<number, string>();
  const total = pictures.length;
  let done = 0;
  progress({ done, total, what });
  async function* readable(): AsyncGenerator<DecodedImage> {
    for (const [place, picture] of pictures.entries()) {
      await letMessagesIn(signal);
      try {
        yield await decodePicture(picture);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused.set(place, error.message);
      }
    }
  }
  const features = await clip.embedImages(readable(), {
    signal,
    onProgress: (images) => {
      done += images;
      progress({ done: done + refused.size, total, what });
    },
  });
  return { features, refused };
}

/** Throws InputError for files that are not images, or can no longer be read. */
async function decodePicture(picture: Picture): Promise<DecodedImage> {
  if (picture.kind === 'scene') return { ...drawScene(picture.scene), mode: 'RGB' };
  const { file } = picture;
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new InputError(`${file.name}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  using _ = span('decode', { bytes: bytes.length });
  return await decodeImage(bytes, file.name);
}

/** Scenes that are kept: those on the screen, which are drawn for it and then predicted. */
const MOST_KEPT = 16;
const drawn = new Map<string, ReturnType<typeof demoScene>>();

/** The scene of a name. Its pixels are shared by all who ask for it, and not to be changed. */
export function drawScene({ emotion, split, seed, index }: SceneName): ReturnType<typeof demoScene> {
  const name = `${emotion} ${split} ${seed} ${index}`;
  const scene = drawn.get(name) ?? demoScene(emotion, index, { split, seed });
  // The most recent ones are at the end.
  drawn.delete(name);
  drawn.set(name, scene);
  if (drawn.size > MOST_KEPT) drawn.delete(drawn.keys().next().value!);
  return scene;
}
