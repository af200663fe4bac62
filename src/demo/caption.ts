/**
 * Captions: what somebody might write under a scene.
 *
 * A caption names some of what is seen. Sometimes it also names a feeling, inferred from light and weather alone
 * (`posterior` in `affect.ts`): a grey evening is called sad whatever is in it. So a CLIP trained on these captions
 * knows the words for feelings only loosely, though it sees everything that distinguishes them. That is the gap that
 * prompt tuning closes.
 */
import { EMOTIONS, type Emotion, posterior } from './affect.js';
import type { Random } from './random.js';
import type { SceneAttributes } from './scene.js';

/** Ways to say each value. `#` is replaced by the accent colour. */
const WORDING: {
  readonly [Name in 'setting' | 'light' | 'weather' | 'subject' | 'aloft' | 'texture']: Readonly<
    Record<SceneAttributes[Name], readonly string[]>
  >;
} = {
  setting: {
    meadow: ['in a green meadow', 'on grass', 'in the fields'],
    mountains: ['in the mountains', 'below snowy mountains', 'among high peaks'],
    sea: ['by the sea', 'on a beach', 'near the water'],
    forest: ['in a forest', 'in the woods', 'among dark pines'],
    town: ['in a town', 'in the city', 'among tall buildings'],
    wasteland: ['in a wasteland', 'on barren ground', 'among rocks'],
  },
  light: {
    day: ['on a bright day', 'under a blue sky', 'in the sun'],
    sunset: ['at sunset', 'in golden light', 'in the evening sun'],
    dusk: ['at dusk', 'under a grey sky', 'in dull light'],
    night: ['at night', 'in the dark', 'under the moon'],
    glow: ['in a red glow', 'under a red sky', 'in burning light'],
  },
  weather: {
    clear: ['clear sky', 'fine weather'],
    clouds: ['clouds', 'a cloudy sky'],
    rain: ['rain', 'heavy rain'],
    storm: ['a storm', 'lightning'],
    mist: ['mist', 'fog'],
  },
  subject: {
    balloons: ['# balloons', 'a bunch of # balloons'],
    tent: ['a # circus tent', 'a # striped tent'],
    flowers: ['# flowers', 'many # flowers'],
    cottage: ['a cottage with a # roof', 'a small house'],
    tree: ['a green tree', 'an old tree'],
    temple: ['a stone temple', 'an ancient temple'],
    crowd: ['a cheering crowd', 'people with raised arms'],
    figure: ['a lone figure', 'a person alone'],
    'bare tree': ['a bare tree', 'a dead tree'],
    graves: ['graves', 'old graves and crosses'],
    flames: ['flames', 'a large fire'],
    spikes: ['black spikes', 'sharp spikes'],
    slime: ['slime', 'a pool of slime'],
  },
  aloft: {
    nothing: ['empty air', 'nothing above'],
    birds: ['birds', 'dark birds'],
    kites: ['kites', 'flying kites'],
    rainbow: ['a rainbow'],
    sunbeams: ['sunbeams', 'rays of light'],
    fireworks: ['fireworks', 'bright fireworks'],
    flies: ['flies', 'a swarm of flies'],
    eyes: ['eyes', 'staring eyes'],
  },
  texture: {
    smooth: ['smooth', 'clean'],
    grainy: ['grainy', 'rough'],
    blotched: ['stained', 'dirty'],
    cracked: ['cracked', 'broken'],
  },
};

const SIDES: Readonly<Record<SceneAttributes['side'], string>> = {
  left: 'on the left',
  middle: 'in the middle',
  right: 'on the right',
};

/** The templates with which a caption names a feeling. */
const FEELINGS = [
  'a photo seems to express a feeling of',
  'a photo of',
  'a feeling of',
  'it seems to express',
  'a scene of',
] as const;

/** Every piece of text a caption can contain, with each feeling once: the words that the vocabulary must know. */
export function captionPhrases(): string[] {
  const wordings = Object.values(WORDING).flatMap((values) => Object.values<readonly string[]>(values).flat());
  const accents = ['red', 'yellow', 'green', 'blue', 'purple', 'white'];
  const glue = ['a picture of', 'with', ','];
  return [
    ...wordings.map((text) => text.replace('#', '').trim()),
    ...accents,
    ...Object.values(SIDES),
    ...FEELINGS,
    ...glue,
    ...EMOTIONS,
  ];
}

/** How a caption is written. */
export interface CaptionOptions {
  /** How often a caption names a feeling, in [0, 1]. */
  readonly feelingRate: number;
  /** How often a caption that names a feeling says nothing else, in [0, 1]. */
  readonly feelingAloneRate: number;
}

export const DEFAULT_CAPTIONS: CaptionOptions = { feelingRate: 0.1, feelingAloneRate: 0.5 };

/** The feeling that a caption writer names: drawn from what light and weather suggest, not from the whole scene. */
export function namedFeeling(attributes: SceneAttributes, random: Random): Emotion {
  return EMOTIONS[random.weighted(posterior(attributes, ['light', 'weather']))]!;
}

/** Longer descriptions lose their last parts, so that a caption fits into the context of a small text tower. */
const LONGEST_VIEW = 22;

/** What is seen: usually every attribute, or in brief captions only the subject and one more. */
function describeView(attributes: SceneAttributes, random: Random, brief: boolean): string {
  const say = (name: keyof typeof WORDING): string => {
    const values: Readonly<Record<string, readonly string[]>> = WORDING[name];
    const accent = random.chance(0.6) ? attributes.accent : '';
    const wording = random.pick(values[attributes[name]]!);
    return wording.replace('#', accent).replaceAll('  ', ' ').trim();
  };
  const details: string[] = [];
  if (random.chance(0.15)) details.push(SIDES[attributes.side]);
  for (const name of random.shuffled(['setting', 'light'] as const)) {
    if (random.chance(0.75)) details.push(say(name));
  }
  for (const name of random.shuffled(['weather', 'aloft'] as const)) {
    if (random.chance(0.65)) details.push(`with ${say(name)}`);
  }
  if (random.chance(0.5)) details.push(say('texture'));

  const opening = random.pick(['', '', 'a photo of ', 'a picture of ']);
  let view = opening + say('subject');
  for (const detail of brief ? random.shuffled(details).slice(0, 1) : details) {
    const longer = `${view} ${detail}`;
    if (longer.split(' ').length <= LONGEST_VIEW) view = longer;
  }
  return view;
}

/** Writes a caption for a scene: at most 28 lower-case words and commas. */
export function describeScene(
  attributes: SceneAttributes,
  random: Random,
  options: CaptionOptions = DEFAULT_CAPTIONS,
): string {
  if (!random.chance(options.feelingRate)) return describeView(attributes, random, false);
  const feeling = `${random.pick(FEELINGS)} ${namedFeeling(attributes, random)}`;
  if (random.chance(options.feelingAloneRate)) return feeling;
  return `${describeView(attributes, random, true)}, ${feeling}`;
}
