/**
 * What a scene of each emotion tends to contain.
 *
 * A scene is described by attributes. Given the emotion, each is drawn independently from the tables below, and the
 * tables overlap: a stormy night may be fear, anger or awe. So no classifier can be perfect, and the best possible one
 * is known exactly (`posterior`). The classes are the eight emotions of Mikels et al., "Emotional category data on
 * images from the International Affective Picture System" (2005). The percentages are ours.
 */
import type { Random } from './random.js';

/** The eight emotions, in the order of labels. */
export const EMOTIONS = [
  'amusement',
  'anger',
  'awe',
  'contentment',
  'disgust',
  'excitement',
  'fear',
  'sadness',
] as const;
/** One of `EMOTIONS`. */
export type Emotion = (typeof EMOTIONS)[number];

/** The values that each attribute takes; the order is that of the columns in `TENDENCY`. */
export const ATTRIBUTES = {
  setting: ['meadow', 'mountains', 'sea', 'forest', 'town', 'wasteland'],
  light: ['day', 'sunset', 'dusk', 'night', 'glow'],
  weather: ['clear', 'clouds', 'rain', 'storm', 'mist'],
  subject: [
    'balloons',
    'tent',
    'flowers',
    'cottage',
    'tree',
    'temple',
    'crowd',
    'figure',
    'bare tree',
    'graves',
    'flames',
    'spikes',
    'slime',
  ],
  aloft: ['nothing', 'birds', 'kites', 'rainbow', 'sunbeams', 'fireworks', 'flies', 'eyes'],
  texture: ['smooth', 'grainy', 'blotched', 'cracked'],
} as const;

/** Name of an attribute. */
export type AttributeName = keyof typeof ATTRIBUTES;
/** One value for each attribute. */
export type AffectiveAttributes = { [Name in AttributeName]: (typeof ATTRIBUTES)[Name][number] };
/** Names of all attributes. */
export const ATTRIBUTE_NAMES = Object.keys(ATTRIBUTES) as AttributeName[];

/** Percentage of an emotion's scenes that have each value of an attribute. */
const TENDENCY: { readonly [Name in AttributeName]: Readonly<Record<Emotion, readonly number[]>> } = {
  setting: {
    amusement: [32, 1, 16, 2, 48, 1],
    anger: [1, 5, 5, 4, 47, 38],
    awe: [3, 62, 19, 14, 1, 1],
    contentment: [52, 7, 24, 14, 2, 1],
    disgust: [2, 1, 10, 9, 39, 39],
    excitement: [15, 21, 18, 1, 44, 1],
    fear: [1, 7, 5, 64, 9, 14],
    sadness: [6, 3, 35, 8, 31, 17],
  },
  light: {
    amusement: [91, 5, 1, 3, 0],
    anger: [5, 9, 11, 9, 66],
    awe: [21, 49, 1, 28, 1],
    contentment: [50, 47, 2, 1, 0],
    disgust: [16, 1, 72, 3, 8],
    excitement: [58, 15, 1, 23, 3],
    fear: [1, 1, 17, 78, 3],
    sadness: [2, 6, 76, 16, 0],
  },
  weather: {
    amusement: [76, 22, 1, 0, 1],
    anger: [21, 21, 3, 54, 1],
    awe: [64, 15, 1, 12, 8],
    contentment: [75, 23, 1, 0, 1],
    disgust: [20, 39, 9, 1, 31],
    excitement: [77, 19, 1, 3, 0],
    fear: [10, 12, 6, 44, 28],
    sadness: [3, 23, 62, 1, 11],
  },
  subject: {
    amusement: [36, 39, 7, 1, 3, 0, 12, 1, 0, 0, 0, 0, 1],
    anger: [0, 0, 0, 1, 1, 1, 15, 5, 5, 1, 51, 20, 0],
    awe: [1, 0, 3, 1, 16, 59, 1, 15, 2, 1, 1, 0, 0],
    contentment: [1, 1, 39, 33, 22, 1, 1, 2, 0, 0, 0, 0, 0],
    disgust: [0, 1, 1, 1, 1, 0, 2, 1, 7, 4, 1, 4, 77],
    excitement: [17, 12, 1, 0, 1, 2, 62, 2, 0, 0, 3, 0, 0],
    fear: [0, 0, 0, 4, 2, 1, 1, 10, 32, 32, 2, 15, 1],
    sadness: [1, 0, 4, 3, 3, 1, 0, 44, 25, 19, 0, 0, 0],
  },
  aloft: {
    amusement: [27, 11, 44, 11, 2, 5, 0, 0],
    anger: [83, 6, 0, 0, 3, 4, 1, 3],
    awe: [31, 10, 0, 19, 39, 1, 0, 0],
    contentment: [40, 30, 4, 8, 18, 0, 0, 0],
    disgust: [28, 2, 0, 0, 1, 0, 68, 1],
    excitement: [19, 4, 15, 3, 4, 55, 0, 0],
    fear: [43, 12, 0, 0, 1, 0, 4, 40],
    sadness: [85, 11, 0, 1, 1, 0, 1, 1],
  },
  texture: {
    amusement: [86, 9, 4, 1],
    anger: [8, 25, 11, 56],
    awe: [79, 14, 2, 5],
    contentment: [87, 10, 2, 1],
    disgust: [3, 13, 76, 8],
    excitement: [74, 21, 4, 1],
    fear: [29, 40, 9, 22],
    sadness: [53, 42, 3, 2],
  },
};

/** Draws the attributes of a scene of the given emotion. */
export function drawAttributes(emotion: Emotion, random: Random): AffectiveAttributes {
  const draw = <Name extends AttributeName>(name: Name): AffectiveAttributes[Name] =>
    ATTRIBUTES[name][random.weighted(TENDENCY[name][emotion])] as AffectiveAttributes[Name];
  return {
    setting: draw('setting'),
    light: draw('light'),
    weather: draw('weather'),
    subject: draw('subject'),
    aloft: draw('aloft'),
    texture: draw('texture'),
  };
}

/**
 * Bayes: the probability of each emotion (in the order of `EMOTIONS`, equally likely beforehand) for a viewer who sees
 * only the named attributes.
 */
export function posterior(attributes: AffectiveAttributes, seen: readonly AttributeName[]): number[] {
  const likelihood = EMOTIONS.map((emotion) =>
    seen.reduce((product, name) => {
      const values: readonly string[] = ATTRIBUTES[name];
      return product * TENDENCY[name][emotion][values.indexOf(attributes[name])]!;
    }, 1),
  );
  const total = likelihood.reduce((sum, value) => sum + value, 0);
  return likelihood.map((value) => (total > 0 ? value / total : 1 / EMOTIONS.length));
}

/** The highest accuracy, in [0, 1], that a classifier can reach if it sees only the named attributes. */
export function bayesAccuracy(seen: readonly AttributeName[] = ATTRIBUTE_NAMES): number {
  /** `joint`: the joint probability of each emotion and the values chosen so far. */
  const best = ([name, ...others]: readonly AttributeName[], joint: readonly number[]): number => {
    if (name === undefined) return Math.max(...joint);
    let sum = 0;
    for (const column of ATTRIBUTES[name].keys()) {
      const narrowed = joint.map((chance, row) => (chance * TENDENCY[name][EMOTIONS[row]!][column]!) / 100);
      sum += best(others, narrowed);
    }
    return sum;
  };
  return best(
    seen,
    EMOTIONS.map(() => 1 / EMOTIONS.length),
  );
}
