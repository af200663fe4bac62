/** Draws a whole affective scene from an emotion and a seed. */
import { InputError } from '../errors.js';
import { type AffectiveAttributes, drawAttributes, EMOTIONS, type Emotion } from './affect.js';
import { ALOFT } from './aloft.js';
import { Canvas } from './canvas.js';
import { LAND } from './land.js';
import { ACCENTS, type Accent, LIGHTS } from './palette.js';
import { mixSeeds, Random } from './random.js';
import { paintAir, paintClouds, paintSky } from './sky.js';
import { SUBJECTS } from './subjects.js';
import { TEXTURES } from './texture.js';

/** What a scene shows: attributes that depend on the emotion (`affect.ts`), and two details that do not. */
export interface SceneAttributes extends AffectiveAttributes {
  readonly accent: Accent;
  readonly side: 'left' | 'middle' | 'right';
}

/** A rendered scene. */
export interface Scene {
  readonly emotion: Emotion;
  readonly attributes: SceneAttributes;
  readonly width: number;
  readonly height: number;
  /** 8-bit RGB, row by row from the top: width * height * 3 bytes. */
  readonly data: Uint8Array;
}

const SIDES = { left: -0.16, middle: 0, right: 0.16 } as const;
const LARGEST_SIDE = 2048;

/** Draws a scene with the given attributes; `random` decides every remaining detail. */
export function paintScene(attributes: SceneAttributes, random: Random, width: number, height: number): Uint8Array {
  const { setting, light, weather, subject, aloft, texture, accent, side } = attributes;
  const canvas = new Canvas(width, height);
  const lamp = paintSky(canvas, light, weather, random);
  paintClouds(canvas, light, weather, random);
  if (aloft === 'rainbow' || aloft === 'sunbeams') ALOFT[aloft](canvas, random, lamp); // behind the land
  LAND[setting](canvas, light, random);
  SUBJECTS[subject]({
    canvas,
    foot: [canvas.aspect * 0.5 + SIDES[side] + random.range(-0.03, 0.03), random.range(0.8, 0.88)],
    size: random.range(0.36, 0.46),
    accent: ACCENTS[accent],
    ambient: LIGHTS[light].ambient,
    random,
  });
  if (aloft !== 'rainbow' && aloft !== 'sunbeams') ALOFT[aloft](canvas, random, lamp);
  paintAir(canvas, light, weather, random);
  TEXTURES[texture](canvas, random);
  return canvas.toBytes();
}

/**
 * Draws the scene of an emotion. The same emotion, seed and size give the same bytes on every engine; the attributes
 * do not depend on the size.
 *
 * @param width @param height in pixels, each 16 to 2048.
 * @throws InputError for an unknown emotion or a size out of range.
 */
export function renderScene(emotion: Emotion, seed: number, width = 96, height = 72): Scene {
  if (!EMOTIONS.includes(emotion)) {
    throw new InputError(`renderScene: emotion: expected one of ${EMOTIONS.join(', ')}, found ${String(emotion)}`);
  }
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 16 || value > LARGEST_SIDE) {
      throw new InputError(`renderScene: ${name}: expected a whole number from 16 to ${LARGEST_SIDE}, found ${value}`);
    }
  }
  const random = new Random(mixSeeds(seed, EMOTIONS.indexOf(emotion)));
  const attributes: SceneAttributes = {
    ...drawAttributes(emotion, random),
    accent: random.pick(Object.keys(ACCENTS) as Accent[]),
    side: random.pick(['left', 'middle', 'right'] as const),
  };
  return { emotion, attributes, width, height, data: paintScene(attributes, random, width, height) };
}
