/** Chooses the images that a page shows, and finds their files. */
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Case, Picture } from '../../report/index.js';
import type { Predictions } from './predictions-file.js';
import { thumbnail } from './thumbnails.js';

/** Pictures of a kind: enough to see what they have in common, few enough to look at. */
const MOST_CASES = 12;

/** The most confident correct prediction of each class, and the most confident mistakes. `picture` finds an image by its path in the predictions. */
export async function pickCases(
  predictions: Predictions,
  picture: (path: string) => Promise<Picture>,
): Promise<{ right: Case[]; wrong: Case[] }> {
  const { words, labels, predicted, probabilities } = predictions;
  const sureness = (i: number) => probabilities[i * words.length + predicted[i]!]!;
  const all = Array.from(labels, (_, i) => i).sort((a, b) => sureness(b) - sureness(a) || a - b);
  const right = words.flatMap((_, c) => all.find((i) => labels[i] === c && predicted[i] === c) ?? []);
  const wrong = all.filter((i) => labels[i] !== predicted[i]);
  const caseOf = async (i: number): Promise<Case> => ({
    ...(await picture(predictions.paths[i]!)),
    actual: words[labels[i]!]!,
    predicted: words[predicted[i]!]!,
    probability: sureness(i),
    actualProbability: probabilities[i * words.length + labels[i]!]!,
  });
  const both: [Case[], Case[]] = [[], []];
  for (const i of right.slice(0, MOST_CASES)) both[0].push(await caseOf(i));
  for (const i of wrong.slice(0, MOST_CASES)) both[1].push(await caseOf(i));
  return { right: both[0], wrong: both[1] };
}

/** An image by its path relative to the folder of its data set; none if that leads out of it. */
export async function pictureIn(data: string, path: string): Promise<Picture> {
  const file = resolve(data, path);
  const url = file.startsWith(join(data, sep)) ? await thumbnail(file) : null;
  return { url, name: `${basename(dirname(file))}/${basename(file)}`, path: file };
}
