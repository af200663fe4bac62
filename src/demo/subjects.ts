/** The subject in the foreground. Each painter draws upwards from a point on the ground, `size` tall (in image heights). */
import type { AffectiveAttributes } from './affect.js';
import { blend, type Canvas, type Colour, lit, type Point } from './canvas.js';
import { BLACK, FIRE, GREY, LAMPLIGHT, LEAF, ROCK, SLIME, STONE, WHITE, WOOD } from './palette.js';
import type { Random } from './random.js';

/** Everything that a painter needs: where, how large, in which accent colour and under which light. */
export interface Stage {
  readonly canvas: Canvas;
  readonly foot: Point;
  readonly size: number;
  readonly accent: Colour;
  readonly ambient: Colour;
  readonly random: Random;
}
type Painter = (stage: Stage) => void;

const paintBalloons: Painter = ({ canvas, foot, size, accent, ambient, random }) => {
  const count = 4 + random.below(3);
  for (let index = 0; index < count; index++) {
    const side = (index - (count - 1) / 2) * 0.13;
    const centre: Point = [foot[0] + side + random.range(-0.03, 0.03), foot[1] - size * random.range(0.75, 1.25)];
    canvas.stroke(centre, foot, 0.007, lit(GREY, ambient));
    const colour = blend(lit(blend(accent, WHITE, 0.35 * (index % 2)), ambient), accent, 0.4);
    canvas.ellipse(centre, 0.065, 0.08, colour);
    canvas.disc([centre[0] - 0.02, centre[1] - 0.028], 0.016, WHITE, 0.6);
  }
};

const paintTent: Painter = ({ canvas, foot: [x, y], size, accent, ambient }) => {
  const half = size * 0.62;
  const [eaves, top] = [y - size * 0.5, y - size];
  for (let stripe = 0; stripe < 8; stripe++) {
    const [left, right] = [x - half + (stripe * half) / 4, x - half + ((stripe + 1) * half) / 4];
    const colour = lit(stripe % 2 === 0 ? accent : WHITE, ambient);
    canvas.polygon(
      [
        [left, eaves],
        [right, eaves],
        [right, y],
        [left, y],
      ],
      colour,
    );
    canvas.polygon(
      [
        [x + (left - x) * 1.15, eaves],
        [x, top],
        [x + (right - x) * 1.15, eaves],
      ],
      lit(colour, [0.92, 0.9, 0.9]),
    );
  }
  canvas.polygon(
    [
      [x, top - 0.09],
      [x + 0.08, top - 0.06],
      [x, top - 0.03],
    ],
    accent,
  );
  canvas.stroke([x, top - 0.09], [x, top], 0.01, lit(WOOD, ambient));
};

const paintFlowers: Painter = ({ canvas, foot, size, accent, ambient, random }) => {
  for (let count = 0; count < 26; count++) {
    const base: Point = [foot[0] + random.range(-0.42, 0.42), foot[1] - random.range(-0.08, 0.16)];
    const head: Point = [base[0] + random.range(-0.01, 0.01), base[1] - size * random.range(0.14, 0.24)];
    canvas.stroke(base, head, 0.01, lit(LEAF, ambient));
    const petals = blend(lit(accent, ambient), accent, 0.3);
    for (const [dx, dy] of [
      [-1, 0],
      [1, 0],
      [0, -1],
      [0, 1],
    ] as const) {
      canvas.disc([head[0] + dx * 0.018, head[1] + dy * 0.018], 0.017, petals);
    }
    canvas.disc(head, 0.011, lit([0.98, 0.88, 0.3], ambient));
  }
};

const paintCottage: Painter = ({ canvas, foot: [x, y], size, accent, ambient }) => {
  const half = size * 0.5;
  canvas.box(x - half, y - size * 0.55, 2 * half, size * 0.55, lit([0.9, 0.84, 0.7], ambient));
  canvas.box(x + half * 0.4, y - size * 1.02, size * 0.12, size * 0.3, lit([0.6, 0.36, 0.3], ambient));
  const roof = lit(blend(accent, WOOD, 0.45), ambient);
  canvas.polygon(
    [
      [x - half * 1.25, y - size * 0.53],
      [x, y - size],
      [x + half * 1.25, y - size * 0.53],
    ],
    roof,
  );
  canvas.box(x - 0.035, y - size * 0.34, 0.07, size * 0.34, lit(WOOD, ambient));
  for (const side of [-1, 1]) canvas.box(x + side * half * 0.6 - 0.03, y - size * 0.4, 0.06, 0.06, LAMPLIGHT);
};

const paintTree: Painter = ({ canvas, foot: [x, y], size, ambient, random }) => {
  canvas.box(x - 0.025, y - size * 0.5, 0.05, size * 0.5, lit(WOOD, ambient));
  for (let leaf = 0; leaf < 13; leaf++) {
    const centre: Point = [x + random.range(-0.17, 0.17), y - size * random.range(0.5, 1.05)];
    canvas.disc(centre, random.range(0.06, 0.1), lit(blend(LEAF, [0.5, 0.72, 0.25], random.unit() * 0.6), ambient));
  }
};

const paintTemple: Painter = ({ canvas, foot: [x, y], size, ambient }) => {
  const stone = lit(STONE, ambient);
  const half = size * 0.62;
  canvas.box(x - half, y - size * 0.68, 2 * half, size * 0.62, lit(stone, [0.42, 0.42, 0.46]));
  for (let column = 0; column < 5; column++) {
    canvas.box(x - half + 0.012 + (column * (2 * half - 0.07)) / 4, y - size * 0.7, 0.046, size * 0.64, stone);
  }
  canvas.box(x - half * 1.12, y - size * 0.08, half * 2.24, size * 0.08, stone);
  canvas.polygon(
    [
      [x - half * 1.15, y - size * 0.68],
      [x, y - size * 1.05],
      [x + half * 1.15, y - size * 0.68],
    ],
    stone,
  );
};

/** A person, arms raised or hanging. */
function paintPerson(canvas: Canvas, [x, y]: Point, tall: number, colour: Colour, armsUp: boolean): void {
  canvas.polygon(
    [
      [x - tall * 0.17, y],
      [x - tall * 0.12, y - tall * 0.7],
      [x + tall * 0.12, y - tall * 0.7],
      [x + tall * 0.17, y],
    ],
    colour,
  );
  canvas.disc([x, y - tall * 0.84], tall * 0.15, colour);
  const reach = armsUp ? -tall * 1.1 : -tall * 0.25;
  for (const side of [-1, 1]) {
    canvas.stroke([x + side * tall * 0.1, y - tall * 0.64], [x + side * tall * 0.32, y + reach], tall * 0.09, colour);
  }
}

const paintCrowd: Painter = ({ canvas, foot, size, accent, ambient, random }) => {
  for (let index = 0; index < 9; index++) {
    const place: Point = [
      foot[0] + (index - 4) * 0.115 + random.range(-0.02, 0.02),
      foot[1] + random.range(-0.03, 0.07),
    ];
    const coat =
      index % 3 === 0
        ? accent
        : random.pick<Colour>([
            [0.2, 0.2, 0.3],
            [0.5, 0.3, 0.2],
            [0.25, 0.35, 0.4],
          ]);
    paintPerson(canvas, place, size * random.range(0.5, 0.66), lit(coat, ambient), true);
  }
};

const paintFigure: Painter = ({ canvas, foot, size, ambient }) => {
  canvas.ellipse([foot[0] + 0.08, foot[1]], 0.16, 0.02, BLACK, 0.4);
  paintPerson(canvas, foot, size * 0.85, lit([0.2, 0.2, 0.25], ambient), false);
};

/** Quarter turns are cut into small ones by repeated exact rotation: cosine 0.8 or 0.96, sine 0.6 or 0.28. */
function paintBranch(
  canvas: Canvas,
  from: Point,
  [dx, dy]: Point,
  depth: number,
  colour: Colour,
  random: Random,
): void {
  const to: Point = [from[0] + dx, from[1] + dy];
  canvas.stroke(from, to, 0.008 + 0.009 * depth, colour);
  if (depth === 0) return;
  for (const side of [-1, 1]) {
    const [cosine, sine] = random.chance(0.6) ? [0.8, 0.6 * side] : [0.96, 0.28 * side];
    const shrink = random.range(0.62, 0.8);
    const turned: Point = [(dx * cosine - dy * sine) * shrink, (dx * sine + dy * cosine) * shrink];
    paintBranch(canvas, to, turned, depth - 1, colour, random);
  }
}

const paintBareTree: Painter = ({ canvas, foot, size, ambient, random }) => {
  paintBranch(canvas, foot, [random.range(-0.03, 0.03), -size * 0.42], 4, lit([0.2, 0.15, 0.13], ambient), random);
};

const paintGraves: Painter = ({ canvas, foot, size, ambient, random }) => {
  const stone = lit([0.62, 0.63, 0.64], ambient);
  for (let index = 0; index < 4; index++) {
    const [x, y] = [foot[0] + (index - 1.5) * 0.22 + random.range(-0.03, 0.03), foot[1] + random.range(-0.06, 0.08)];
    const tall = size * random.range(0.42, 0.6);
    if (index % 2 === 0) {
      canvas.box(x - 0.06, y - tall * 0.75, 0.12, tall * 0.75, stone);
      canvas.disc([x, y - tall * 0.75], 0.06, stone);
    } else {
      canvas.box(x - 0.018, y - tall, 0.036, tall, stone);
      canvas.box(x - 0.07, y - tall * 0.78, 0.14, 0.036, stone);
    }
  }
};

const paintFlames: Painter = ({ canvas, foot, size, random }) => {
  canvas.glow([foot[0], foot[1] - size * 0.4], size, FIRE, 0.6);
  for (const [shrink, colour] of [
    [1, [0.86, 0.16, 0.05]],
    [0.68, FIRE],
    [0.36, [1, 0.88, 0.35]],
  ] as const) {
    for (let tongue = 0; tongue < 5; tongue++) {
      const x = foot[0] + (tongue - 2) * 0.12 * (0.5 + 0.5 * shrink);
      const half = 0.1 * shrink;
      const tip: Point = [x + random.range(-0.06, 0.06), foot[1] - size * shrink * random.range(0.7, 1.15)];
      canvas.polygon(
        [
          [x - half * 0.6, foot[1]],
          [x - half, foot[1] - half],
          tip,
          [x + half, foot[1] - half],
          [x + half * 0.6, foot[1]],
        ],
        colour,
      );
    }
  }
};

const paintSpikes: Painter = ({ canvas, foot, size, ambient, random }) => {
  for (let index = 0; index < 9; index++) {
    const x = foot[0] + (index - 4) * 0.1;
    const tip: Point = [x + random.range(-0.12, 0.12), foot[1] - size * random.range(0.5, 1.15)];
    const colour = lit(blend(BLACK, ROCK, 0.35 * (index % 2)), ambient);
    canvas.polygon([[x - 0.07, foot[1] + 0.03], tip, [x + 0.07, foot[1] + 0.03]], colour);
  }
};

const paintSlime: Painter = ({ canvas, foot, size, ambient, random }) => {
  const colour = blend(lit(SLIME, ambient), SLIME, 0.45);
  for (let blob = 0; blob < 8; blob++) {
    const centre: Point = [foot[0] + random.range(-0.3, 0.3), foot[1] - random.range(-0.04, 0.2) * size];
    canvas.ellipse(centre, random.range(0.1, 0.19), random.range(0.04, 0.1), colour);
  }
  for (let bubble = 0; bubble < 9; bubble++) {
    const centre: Point = [foot[0] + random.range(-0.28, 0.28), foot[1] - random.range(-0.04, 0.24) * size];
    const radius = random.range(0.012, 0.032);
    canvas.disc(centre, radius, blend(colour, BLACK, 0.45));
    canvas.disc([centre[0] - radius * 0.3, centre[1] - radius * 0.3], radius * 0.6, blend(colour, WHITE, 0.3));
  }
};

export const SUBJECTS: Readonly<Record<AffectiveAttributes['subject'], Painter>> = {
  balloons: paintBalloons,
  tent: paintTent,
  flowers: paintFlowers,
  cottage: paintCottage,
  tree: paintTree,
  temple: paintTemple,
  crowd: paintCrowd,
  figure: paintFigure,
  'bare tree': paintBareTree,
  graves: paintGraves,
  flames: paintFlames,
  spikes: paintSpikes,
  slime: paintSlime,
};
