/** The colours of a scene: the effect of each light on the sky and on everything under it. */
import type { AffectiveAttributes } from './affect.js';
import type { Colour } from './canvas.js';

export interface LightColours {
  /** The sky at the top of the image and at the horizon. */
  readonly zenith: Colour;
  readonly horizon: Colour;
  /** Multiplies the colour of everything on the ground. */
  readonly ambient: Colour;
  /** The colour of the sun or moon. */
  readonly lamp: Colour;
}

export const LIGHTS: Readonly<Record<AffectiveAttributes['light'], LightColours>> = {
  day: { zenith: [0.25, 0.55, 0.92], horizon: [0.74, 0.89, 0.98], ambient: [1, 1, 1], lamp: [1, 0.95, 0.62] },
  sunset: { zenith: [0.4, 0.3, 0.58], horizon: [1, 0.68, 0.36], ambient: [0.95, 0.72, 0.56], lamp: [1, 0.85, 0.5] },
  dusk: {
    zenith: [0.38, 0.42, 0.46],
    horizon: [0.64, 0.66, 0.65],
    ambient: [0.62, 0.65, 0.68],
    lamp: [0.8, 0.8, 0.78],
  },
  night: {
    zenith: [0.02, 0.03, 0.1],
    horizon: [0.1, 0.13, 0.28],
    ambient: [0.36, 0.4, 0.56],
    lamp: [0.93, 0.94, 0.85],
  },
  glow: { zenith: [0.22, 0.02, 0.03], horizon: [0.86, 0.2, 0.07], ambient: [0.72, 0.34, 0.26], lamp: [1, 0.45, 0.2] },
};

/** Accent colours, independent of the emotion: balloons are equally often red in happy and in sad scenes. */
export const ACCENTS = {
  red: [0.88, 0.16, 0.16],
  yellow: [0.97, 0.82, 0.18],
  green: [0.24, 0.68, 0.3],
  blue: [0.2, 0.38, 0.88],
  purple: [0.6, 0.28, 0.72],
  white: [0.95, 0.95, 0.93],
} as const satisfies Record<string, Colour>;
export type Accent = keyof typeof ACCENTS;

export const WHITE: Colour = [1, 1, 1];
export const BLACK: Colour = [0.03, 0.03, 0.04];
export const GREY: Colour = [0.5, 0.5, 0.52];
export const WOOD: Colour = [0.4, 0.27, 0.17];
export const LEAF: Colour = [0.22, 0.5, 0.2];
export const GRASS: Colour = [0.42, 0.66, 0.26];
export const ROCK: Colour = [0.47, 0.45, 0.47];
export const SNOW: Colour = [0.94, 0.96, 1];
export const WATER: Colour = [0.2, 0.44, 0.6];
export const BARREN: Colour = [0.52, 0.42, 0.3];
export const STONE: Colour = [0.74, 0.7, 0.62];
export const SLIME: Colour = [0.56, 0.66, 0.12];
export const FIRE: Colour = [1, 0.5, 0.08];
export const LAMPLIGHT: Colour = [1, 0.86, 0.45];
