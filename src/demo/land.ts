/** The lower half of a scene: the place in which it happens. */
import type { AffectiveAttributes } from './affect.js';
import { blend, type Canvas, type Colour, clamp, lit, type Point } from './canvas.js';
import { BARREN, GRASS, GREY, LAMPLIGHT, LEAF, LIGHTS, ROCK, SNOW, STONE, WATER, WOOD } from './palette.js';
import { cloudNoise, type Random, valueNoise } from './random.js';
import { HORIZON } from './sky.js';

type Light = AffectiveAttributes['light'];
type Painter = (canvas: Canvas, light: Light, random: Random) => void;

/** Rolling ground whose colour darkens towards the viewer. */
function paintHills(canvas: Canvas, colour: Colour, ambient: Colour, top: number, roll: number, random: Random): void {
  const seed = random.uint32();
  canvas.ground(
    (x) => top + roll * (valueNoise(x * 2.2, 0.5, seed) - 0.5),
    (x, y) => lit(colour, blend(ambient, [0, 0, 0], 0.4 * clamp(y - top) + 0.12 * cloudNoise(x * 5, y * 9, seed))),
  );
}

const paintMeadow: Painter = (canvas, light, random) => {
  const { ambient, horizon } = LIGHTS[light];
  paintHills(canvas, blend(GRASS, lit(horizon, [0.8, 0.9, 0.9]), 0.3), ambient, HORIZON - 0.02, 0.16, random);
  paintHills(canvas, GRASS, ambient, HORIZON + 0.1, 0.12, random);
};

const paintMountains: Painter = (canvas, light, random) => {
  const { ambient, horizon } = LIGHTS[light];
  const places = random.shuffled([0.12, 0.36, 0.62, 0.88]);
  for (const [index, place] of places.entries()) {
    const far = 1 - index / places.length;
    const colour = blend(lit(ROCK, ambient), horizon, 0.4 * far);
    const peak: Point = [canvas.aspect * (place + random.range(-0.06, 0.06)), HORIZON - random.range(0.2, 0.4)];
    const half = random.range(0.24, 0.38);
    const foot = HORIZON + 0.08;
    canvas.polygon([[peak[0] - half, foot], peak, [peak[0] + half, foot]], colour);
    canvas.polygon([[peak[0] + 0.02, foot], peak, [peak[0] + half, foot]], lit(colour, [0.76, 0.76, 0.8]));
    const cap = (side: number, down: number): Point => [
      peak[0] + side * half * down,
      peak[1] + (foot - peak[1]) * down,
    ];
    const snow = [peak, cap(1, 0.34), cap(0.4, 0.26), cap(0.05, 0.36), cap(-0.35, 0.24), cap(-1, 0.32)];
    canvas.polygon(snow, blend(lit(SNOW, ambient), horizon, 0.15 * far));
  }
  paintHills(canvas, blend(GRASS, ROCK, 0.5), ambient, HORIZON + 0.06, 0.07, random);
};

const paintSea: Painter = (canvas, light, random) => {
  const { ambient, horizon } = LIGHTS[light];
  const seed = random.uint32();
  canvas.ground(
    () => HORIZON,
    (x, y) => {
      const depth = (y - HORIZON) / (1 - HORIZON);
      const wave = valueNoise(x * 5, y * (58 - 26 * depth), seed);
      return blend(lit(WATER, ambient), horizon, clamp(0.42 - 0.36 * depth) + 0.42 * clamp(wave * 3 - 1.9));
    },
  );
  paintHills(canvas, blend(BARREN, SNOW, 0.35), ambient, 0.86, 0.1, random);
};

const paintForest: Painter = (canvas, light, random) => {
  const { ambient, horizon } = LIGHTS[light];
  paintHills(canvas, blend(LEAF, WOOD, 0.4), ambient, HORIZON + 0.04, 0.05, random);
  for (let row = 0; row < 2; row++) {
    for (let step = 0; step < 11; step++) {
      const x = canvas.aspect * ((step + random.range(0, 0.9)) / 10.5);
      if (row === 1 && Math.abs(x / canvas.aspect - 0.5) < 0.24) continue; // leave a clearing for the subject
      const foot = HORIZON + 0.07 + 0.12 * row;
      const tall = random.range(0.3, 0.42) + 0.14 * row;
      const colour = blend(lit(blend(LEAF, [0.05, 0.25, 0.16], 0.6), ambient), horizon, 0.22 * (1 - row));
      canvas.box(x - 0.012, foot - 0.05, 0.024, 0.07, lit(WOOD, ambient));
      for (let tier = 0; tier < 3; tier++) {
        const top = foot - tall + (tier * tall) / 4.5;
        const wide = (0.045 + 0.03 * tier) * (1 + 0.3 * row);
        canvas.polygon(
          [
            [x - wide, top + tall * 0.42],
            [x, top],
            [x + wide, top + tall * 0.42],
          ],
          colour,
        );
      }
    }
  }
};

const paintTown: Painter = (canvas, light, random) => {
  const { ambient, horizon } = LIGHTS[light];
  const dark = light === 'night' || light === 'dusk' || light === 'glow';
  let x = -0.03;
  while (x < canvas.aspect) {
    const wide = random.range(0.1, 0.2);
    const top = HORIZON - random.range(0.06, 0.34);
    const brick = random.pick<Colour>([STONE, [0.66, 0.42, 0.34], GREY, [0.6, 0.56, 0.48]]);
    canvas.box(x, top, wide, HORIZON + 0.12 - top, blend(lit(brick, ambient), horizon, 0.18));
    for (let y = top + 0.04; y < HORIZON; y += 0.075) {
      for (let pane = x + 0.025; pane < x + wide - 0.035; pane += 0.05) {
        const shining = random.chance(dark ? 0.5 : 0.1);
        canvas.box(pane, y, 0.022, 0.034, shining ? LAMPLIGHT : lit([0.25, 0.3, 0.36], ambient), 0.9);
      }
    }
    x += wide + 0.008;
  }
  paintHills(canvas, GREY, ambient, HORIZON + 0.1, 0.01, random);
};

const paintWasteland: Painter = (canvas, light, random) => {
  const { ambient } = LIGHTS[light];
  paintHills(canvas, BARREN, ambient, HORIZON + 0.03, 0.05, random);
  const shade = lit(BARREN, [ambient[0] * 0.55, ambient[1] * 0.52, ambient[2] * 0.5]);
  for (let count = 0; count < 14; count++) {
    const [x, y] = [random.range(0, canvas.aspect), random.range(HORIZON + 0.07, 0.98)];
    const size = random.range(0.015, 0.05);
    canvas.polygon(
      [
        [x - size, y],
        [x - size * 0.4, y - size],
        [x + size * 0.5, y - size * 0.8],
        [x + size, y],
      ],
      shade,
    );
  }
};

export const LAND: Readonly<Record<AffectiveAttributes['setting'], Painter>> = {
  meadow: paintMeadow,
  mountains: paintMountains,
  sea: paintSea,
  forest: paintForest,
  town: paintTown,
  wasteland: paintWasteland,
};
