/** The upper half of a scene: the sky under its light, the sun or moon, the weather. */
import type { AffectiveAttributes } from './affect.js';
import { blend, type Canvas, type Colour, clamp, type Point } from './canvas.js';
import { BLACK, LIGHTS, WHITE } from './palette.js';
import { cloudNoise, type Random } from './random.js';

/** Height of the horizon, from the top, in image heights. */
export const HORIZON = 0.58;

type Light = AffectiveAttributes['light'];
type Weather = AffectiveAttributes['weather'];

const GREYING: Readonly<Record<Weather, number>> = { clear: 0, clouds: 0.08, rain: 0.42, storm: 0.55, mist: 0.25 };
const GLOOM: Colour = [0.33, 0.35, 0.38];

/** Paints the sky gradient, the stars, and the sun or moon; returns the position of that light. */
export function paintSky(canvas: Canvas, light: Light, weather: Weather, random: Random): Point {
  const { zenith, horizon, lamp } = LIGHTS[light];
  const greying = GREYING[weather];
  const dim: Colour = blend(GLOOM, zenith, 0.5);
  canvas.wash((_x, y) => [blend(blend(zenith, horizon, clamp(y / HORIZON)), dim, greying), 1]);

  const overhead = light === 'day' || light === 'night';
  const place: Point = [
    canvas.aspect * random.range(0.2, 0.8),
    overhead ? random.range(0.1, 0.24) : HORIZON - random.range(0.06, 0.14),
  ];
  const veiled = weather === 'rain' || weather === 'storm' || weather === 'mist';
  const visible = veiled ? 0.25 : 1;
  if (light === 'night' && !veiled) {
    for (let count = 0; count < 40; count++) {
      canvas.disc([random.range(0, canvas.aspect), random.range(0, HORIZON)], 0.006, WHITE, random.range(0.3, 0.9));
    }
  }
  if (light !== 'dusk') {
    canvas.glow(place, light === 'night' ? 0.25 : 0.5, lamp, 0.55 * visible);
    canvas.disc(place, light === 'sunset' ? 0.11 : 0.075, lamp, visible);
    if (light === 'night') paintCraters(canvas, place, visible);
  }
  return place;
}

/** The marks that distinguish the moon from the sun. */
function paintCraters(canvas: Canvas, [x, y]: Point, visible: number): void {
  for (const [dx, dy, radius] of [
    [-0.025, -0.02, 0.019],
    [0.03, -0.005, 0.015],
    [-0.004, 0.035, 0.02],
  ] as const) {
    canvas.disc([x + dx, y + dy], radius, [0.6, 0.62, 0.62], visible);
  }
}

/** Clouds, dark under rain and storm; a storm has its lightning behind the land. */
export function paintClouds(canvas: Canvas, light: Light, weather: Weather, random: Random): void {
  if (weather === 'clear') return;
  const heavy = weather === 'rain' || weather === 'storm';
  const bright = blend(LIGHTS[light].horizon, WHITE, light === 'night' ? 0.12 : 0.6);
  const colour = heavy ? blend(LIGHTS[light].zenith, BLACK, weather === 'storm' ? 0.7 : 0.45) : bright;
  const cover = heavy ? 0.36 : weather === 'mist' ? 0.5 : 0.47;
  const seed = random.uint32();
  canvas.wash(
    (x, y) => [colour, 0.92 * clamp((cloudNoise(x * 3.2, y * 6.5, seed) - cover) * 5) * clamp((HORIZON - y) * 5)],
    [0, 0, canvas.aspect, HORIZON],
  );
  if (weather === 'storm') paintLightning(canvas, random);
}

function paintLightning(canvas: Canvas, random: Random): void {
  for (let bolts = 1 + random.below(2); bolts > 0; bolts--) {
    let from: Point = [canvas.aspect * random.range(0.2, 0.8), random.range(0.02, 0.1)];
    canvas.glow([from[0], from[1] + 0.2], 0.34, [0.8, 0.82, 1], 0.4);
    while (from[1] < HORIZON) {
      const to: Point = [from[0] + random.range(-0.09, 0.09), from[1] + random.range(0.05, 0.11)];
      canvas.stroke(from, to, 0.02, [1, 0.98, 0.8]);
      from = to;
    }
  }
}

/** What falls between the viewer and the scene: rain streaks or mist. */
export function paintAir(canvas: Canvas, light: Light, weather: Weather, random: Random): void {
  if (weather === 'rain' || weather === 'storm') {
    const drops = weather === 'rain' ? 70 : 26;
    const colour = blend(LIGHTS[light].horizon, WHITE, 0.35);
    for (let count = 0; count < drops; count++) {
      const [x, y] = [random.range(-0.05, canvas.aspect), random.range(-0.1, 1)];
      canvas.stroke([x, y], [x + 0.03, y + 0.1], 0.008, colour, 0.42);
    }
  } else if (weather === 'mist') {
    const colour = blend(LIGHTS[light].horizon, WHITE, light === 'night' ? 0.18 : 0.4);
    const seed = random.uint32();
    canvas.wash((x, y) => {
      const bank = clamp(1 - Math.abs(y - HORIZON) / 0.34);
      return [colour, 0.8 * bank * (0.55 + 0.6 * cloudNoise(x * 2, y * 8, seed))];
    });
  }
}
