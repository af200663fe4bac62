/** What the prompts of a run have become: the nearest words of every learned token, and how pictures weigh the tokens (Eq. 3). */
import type { ImageExplanation, PromptExplanation, VocabularyWord } from '../../ptdpc/index.js';
import { heatMap } from '../charts/heat-map.js';
import { type Html, html, type Part, percent, shortest } from '../format.js';
import { figure, type Section, table } from '../page/document.js';
import { type Picture, pictureOf } from './predictions.js';

/** A picture with its explanation and ground truth. */
export interface WeighedPicture extends Picture {
  readonly actual: string;
  readonly explanation: ImageExplanation;
}

export interface PromptsReport {
  readonly words: PromptExplanation;
  readonly pictures: readonly WeighedPicture[];
}

/** Of more classes, words and weights are those of the first ones. */
const MOST_CLASSES = 24;

export function promptsSection(prompts: PromptsReport): Section {
  return { id: 'prompts', title: 'Prompts', body: html`${wordsPart(prompts.words)}${weightsPart(prompts)}` };
}

/** In the place of the section, if there is no model to read the prompts with. */
export function absentPrompts(reason: string): Section {
  return {
    id: 'prompts',
    title: 'Prompts',
    body: html`<p class="notice">Words and weights are not shown: ${reason}</p>`,
  };
}

function wordsPart({ prompts, classes, tokens, equal, metric }: PromptExplanation): Html {
  const figureName = metric === 'cosine' ? 'similarity' : 'distance';
  const shown = equal ? prompts.slice(0, 1) : prompts.slice(0, MOST_CLASSES);
  const left = equal ? 0 : prompts.length - shown.length;
  const tables = shown.map((prompt) => {
    const whose = prompt.class === null || equal ? 'all classes' : classes[prompt.class]!;
    const places = prompt.tokens[0]?.nearest.map((_, rank) => `nearest ${rank + 1}`) ?? [];
    const drawn = table({
      label: `Nearest words of the learned tokens: ${whose}`,
      kind: 'words',
      head: ['token', 'began as', `${figureName} now`, ...places],
      rows: prompt.tokens.map(({ start, nearest }, j): Part[] => [
        j + 1,
        wordOf(tokens[j]!),
        shortest(start[figureName], 3),
        ...nearest.map((word): Part => html`${wordOf(word)} <small>${shortest(word[figureName], 3)}</small>`),
      ]),
    });
    return shown.length === 1
      ? html`<h3>Nearest words: ${whose}</h3>${drawn}`
      : html`<details><summary>Nearest words: ${whose}</summary>${drawn}</details>`;
  });
  return html`<p>Learned tokens are vectors, not words. For each, the table shows its initial token, its similarity to that token now, and the nearest tokens of the
vocabulary, by ${metric === 'cosine' ? 'cosine' : 'Euclidean distance'}. A trailing dash marks a token that is part of a word.${
    equal && ' The tokens of all classes are equal: they started equal, and composition treats all classes alike.'
  }</p>${tables}${left > 0 && html`<p class="note">And ${left} more classes.</p>`}`;
}

function weightsPart({ words, pictures }: PromptsReport): Html | null {
  const weighed = pictures.filter(({ explanation }) => explanation.weights !== null);
  if (weighed.length === 0) return null;
  // One scale for all pictures, so that they can be compared.
  const all = weighed.flatMap(({ explanation }) => explanation.weights!.flat());
  const mean = all.reduce((sum, weight) => sum + weight, 0) / all.length;
  const widest = all.reduce((most, weight) => Math.max(most, Math.abs(weight - mean)), 1e-9);
  return html`<h3>Weights of images</h3>
<p>How strongly a picture draws on each class's learned tokens as it composes its prompt: the weights of Equation 3, from the cosine of picture and token. Shades show how far a weight lies
from the mean of all weights here, ${shortest(mean, 3)}: at most ${shortest(widest, 2)}; weights below it have the other hue.</p>
${weighed.map((one) => weighedPicture(words, one, (weight) => (weight - mean) / widest))}`;
}

function weighedPicture(
  { classes, tokens, equal }: PromptExplanation,
  one: WeighedPicture,
  shadeOf: (weight: number) => number,
): Html {
  const { actual, explanation } = one;
  const all = explanation.weights!;
  const shared = all.length === 1 || equal;
  const weights = shared ? all.slice(0, 1) : all.slice(0, MOST_CLASSES);
  const rows = shared ? ['all classes'] : classes.slice(0, MOST_CLASSES);
  const columns = tokens.map((token) => wordOf(token));
  const predicted = classes[explanation.predicted]!;
  const probability = percent(explanation.probabilities[explanation.predicted]!);
  const title = `${predicted} ${probability}, ground truth ${actual}`;
  const texts = weights.map((row) => row.map((weight) => weight.toFixed(2).replace('-', '−')));
  const [low, high] = extremes(weights);
  const at = ({ row, column }: Place) => `${columns[column]} (${rows[row]}) ${texts[row]![column]}`;
  return html`<div class="weighted">${pictureOf(one)}${figure({
    title,
    drawing: heatMap({
      rows,
      columns,
      rowName: shared ? '' : 'class',
      columnName: 'token',
      shades: weights.map((row) => row.map(shadeOf)),
      texts,
    }),
    summary: `Weights of ${one.name}, ${rows.length} × ${columns.length}: largest ${at(high)}, smallest ${at(low)}.`,
    note: one.name,
    data: {
      label: `Weights of ${one.name} by class and token`,
      head: ['', ...columns],
      rows: weights.map((row, i) => [rows[i], ...row.map((weight) => weight.toFixed(4).replace('-', '−'))]),
    },
  })}</div>`;
}

interface Place {
  row: number;
  column: number;
}

/** Where the smallest and the largest weight stand, the first of equals. */
function extremes(weights: readonly (readonly number[])[]): [low: Place, high: Place] {
  const places = weights.flatMap((row, r) => row.map((weight, column) => ({ row: r, column, weight })));
  const low = places.reduce((least, place) => (place.weight < least.weight ? place : least));
  const high = places.reduce((most, place) => (place.weight > most.weight ? place : most));
  return [low, high];
}

/** A token of the vocabulary as people read it: `joy`, or `jo-` if a word goes on; the paper's name for start and end of text. */
function wordOf({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  if (kind === 'special') return text.includes('start') ? '[SOT]' : '[EOT]';
  return kind === 'fragment' ? `${text}-` : text;
}
