/** The surface of the image: the grain of the film, stains or cracks over everything. */
import type { AffectiveAttributes } from './affect.js';
import { type Canvas, type Colour, clamp } from './canvas.js';
import { BLACK, WHITE } from './palette.js';
import { cloudNoise, latticeValue, type Random } from './random.js';

type Painter = (canvas: Canvas, random: Random) => void;

const paintSmooth: Painter = () => {};

const paintGrain: Painter = (canvas, random) => {
  const seed = random.uint32();
  canvas.wash((x, y) => {
    const speck = latticeValue(Math.floor(x * 48), Math.floor(y * 48), seed) - 0.5;
    return [speck > 0 ? WHITE : BLACK, 0.36 * Math.abs(speck)];
  });
};

const STAIN: Colour = [0.36, 0.34, 0.1];

const paintBlotches: Painter = (canvas, random) => {
  const seed = random.uint32();
  canvas.wash((x, y) => [STAIN, 0.62 * clamp((cloudNoise(x * 6, y * 6, seed) - 0.54) * 9)]);
};

const paintCracks: Painter = (canvas, random) => {
  const seed = random.uint32();
  canvas.wash((x, y) => {
    const ridge = Math.abs(cloudNoise(x * 3.4, y * 3.4, seed) - 0.5);
    return [BLACK, 0.8 * clamp(1.25 - ridge * 55)];
  });
};

export const TEXTURES: Readonly<Record<AffectiveAttributes['texture'], Painter>> = {
  smooth: paintSmooth,
  grainy: paintGrain,
  blotched: paintBlotches,
  cracked: paintCracks,
};
