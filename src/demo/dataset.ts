/** Labelled scenes in reproducible splits, for a command to write to a folder or a page to train on. */
import { InputError } from '../errors.js';
import { EMOTIONS, type Emotion } from './affect.js';
import { mixSeeds } from './random.js';
import { renderScene, type Scene } from './scene.js';

/** Names of splits. */
export const SPLITS = ['train', 'val', 'test'] as const;
/** One of `SPLITS`. */
export type Split = (typeof SPLITS)[number];

/** Which scenes are drawn. */
export interface DemoSceneOptions {
  /** Scenes of each emotion. */
  readonly perClass: number;
  readonly split: Split;
  /** A different seed gives a different data set; the splits of one seed share no scene. Default 0. */
  readonly seed?: number;
  /** Size in pixels. Default 96 x 72. */
  readonly width?: number;
  readonly height?: number;
}

/** A scene with its label. */
export interface DemoScene {
  readonly emotion: Emotion;
  /** `NNN.jpg` and `NNN.png` alternately, numbered from 000 within the emotion. */
  readonly fileName: string;
  readonly pixels: Scene;
}

const LARGEST_PER_CLASS = 100_000;

/**
 * Yields the scenes of a split, emotion by emotion.
 *
 * @throws InputError for an unknown split or a count out of range.
 */
export function* demoScenes(options: DemoSceneOptions): Generator<DemoScene> {
  const { perClass, split } = options;
  if (!Number.isInteger(perClass) || perClass < 1 || perClass > LARGEST_PER_CLASS) {
    throw new InputError(
      `demoScenes: perClass: expected a whole number from 1 to ${LARGEST_PER_CLASS}, found ${perClass}`,
    );
  }
  if (!SPLITS.includes(split)) {
    throw new InputError(`demoScenes: split: expected one of ${SPLITS.join(', ')}, found ${String(split)}`);
  }
  for (const emotion of EMOTIONS) {
    for (let index = 0; index < perClass; index++) {
      const fileName = `${String(index).padStart(3, '0')}.${index % 2 === 0 ? 'jpg' : 'png'}`;
      yield { emotion, fileName, pixels: demoScene(emotion, index, options) };
    }
  }
}

/** One scene of a split: number `index` of its emotion. */
export function demoScene(
  emotion: Emotion,
  index: number,
  { split, seed = 0, width = 96, height = 72 }: Omit<DemoSceneOptions, 'perClass'>,
): Scene {
  return renderScene(emotion, mixSeeds(seed, SPLITS.indexOf(split) + 1, index), width, height);
}
