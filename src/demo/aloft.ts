/** What is in the air, or looks out of the dark: the second thing that a viewer notices. */
import type { AffectiveAttributes } from './affect.js';
import type { Canvas, Colour, Point } from './canvas.js';
import { ACCENTS, BLACK, LAMPLIGHT } from './palette.js';
import type { Random } from './random.js';
import { HORIZON } from './sky.js';

type Painter = (canvas: Canvas, random: Random, lamp: Point) => void;

/** A point of the sky above the middle of the image, which a square crop keeps. */
const skyPoint = (canvas: Canvas, random: Random, lowest = 0.36): Point => [
  canvas.aspect * random.range(0.2, 0.8),
  random.range(0.07, lowest),
];

const paintBirds: Painter = (canvas, random) => {
  for (let count = 0; count < 6; count++) {
    const [x, y] = skyPoint(canvas, random);
    const wing = random.range(0.04, 0.065);
    for (const side of [-1, 1]) canvas.stroke([x, y], [x + side * wing, y - wing * 0.6], 0.016, BLACK, 0.9);
  }
};

const paintKites: Painter = (canvas, random) => {
  for (const accent of random.shuffled(Object.values(ACCENTS)).slice(0, 3)) {
    const [x, y] = skyPoint(canvas, random, 0.28);
    canvas.stroke([x, y], [x - 0.08, y + 0.22], 0.01, BLACK, 0.6);
    canvas.polygon(
      [
        [x, y - 0.09],
        [x + 0.06, y],
        [x, y + 0.09],
        [x - 0.06, y],
      ],
      accent,
    );
    canvas.polygon(
      [
        [x, y - 0.09],
        [x + 0.06, y],
        [x, y],
      ],
      [1, 1, 1],
      0.4,
    );
  }
};

const BOWS: readonly Colour[] = [
  [0.9, 0.2, 0.2],
  [0.97, 0.6, 0.15],
  [0.98, 0.9, 0.25],
  [0.3, 0.75, 0.35],
  [0.25, 0.45, 0.9],
  [0.55, 0.3, 0.75],
];

const paintRainbow: Painter = (canvas, random) => {
  const centre: Point = [canvas.aspect * random.range(0.4, 0.6), HORIZON + 0.04];
  const outer = random.range(0.42, 0.5);
  canvas.wash(
    (x, y) => {
      const [dx, dy] = [x - centre[0], y - centre[1]];
      const band = (outer - Math.sqrt(dx * dx + dy * dy)) / 0.022;
      const colour = BOWS[Math.floor(band)];
      return colour === undefined ? [BLACK, 0] : [colour, 0.72];
    },
    [0, 0, canvas.aspect, HORIZON],
  );
};

const paintSunbeams: Painter = (canvas, random, lamp) => {
  const turn = random.range(-0.1, 0.1);
  for (let beam = -3; beam <= 3; beam++) {
    const x = lamp[0] + (beam * 0.36 + turn) * 1.1;
    const spread = 0.07 + 0.02 * Math.abs(beam);
    const reach = lamp[1] + 0.75;
    canvas.polygon(
      [
        [lamp[0], lamp[1]],
        [x - spread, reach],
        [x + spread, reach],
      ],
      [1, 0.95, 0.72],
      0.34,
    );
    canvas.polygon(
      [
        [lamp[0], lamp[1]],
        [x - spread, lamp[1] - 0.6],
        [x + spread, lamp[1] - 0.6],
      ],
      [1, 0.95, 0.72],
      0.34,
    );
  }
};

/** Twelve directions with exact coordinates (cosines and sines 0, 0.28, 0.6, 0.8, 0.96, 1). */
const SPOKES: readonly Point[] = [
  [1, 0],
  [0.8, 0.6],
  [0.6, 0.8],
  [0, 1],
  [-0.6, 0.8],
  [-0.8, 0.6],
  [-1, 0],
  [-0.8, -0.6],
  [-0.6, -0.8],
  [0, -1],
  [0.6, -0.8],
  [0.8, -0.6],
];

const paintFireworks: Painter = (canvas, random) => {
  for (const accent of random.shuffled(Object.values(ACCENTS)).slice(0, 3)) {
    const [x, y] = skyPoint(canvas, random, 0.3);
    const reach = random.range(0.1, 0.16);
    canvas.glow([x, y], reach * 1.3, accent, 0.4);
    for (const [dx, dy] of SPOKES) {
      canvas.stroke([x + dx * reach * 0.3, y + dy * reach * 0.3], [x + dx * reach, y + dy * reach], 0.016, accent);
      canvas.disc([x + dx * reach, y + dy * reach], 0.012, [1, 1, 0.9]);
    }
  }
};

const paintFlies: Painter = (canvas, random) => {
  const [cx, cy] = [canvas.aspect / 2, 0.5];
  for (let count = 0; count < 42; count++) {
    const fly: Point = [cx + random.range(-0.42, 0.42), cy + random.range(-0.3, 0.3)];
    canvas.ellipse(fly, 0.013, 0.009, BLACK, 0.95);
  }
};

const paintEyes: Painter = (canvas, random) => {
  for (let pair = 0; pair < 4; pair++) {
    const [x, y] = [canvas.aspect * random.range(0.18, 0.82), random.range(0.3, 0.62)];
    canvas.ellipse([x, y], 0.1, 0.05, BLACK, 0.75);
    for (const side of [-1, 1]) {
      canvas.ellipse([x + side * 0.036, y], 0.026, 0.02, LAMPLIGHT);
      canvas.disc([x + side * 0.036, y], 0.01, BLACK);
    }
  }
};

const paintNothing: Painter = () => {};

export const ALOFT: Readonly<Record<AffectiveAttributes['aloft'], Painter>> = {
  nothing: paintNothing,
  birds: paintBirds,
  kites: paintKites,
  rainbow: paintRainbow,
  sunbeams: paintSunbeams,
  fireworks: paintFireworks,
  flies: paintFlies,
  eyes: paintEyes,
};
