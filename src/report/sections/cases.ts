/** Pictures with prediction and ground truth, as in the paper's Figure 5. */
import { percent } from '../format.js';
import { type Html, html } from '../html.js';

export interface Picture {
  /** As a `data:` URL; null if the file is no longer there. */
  readonly url: string | null;
  /** What to call the file: the end of its path. */
  readonly name: string;
  /** Where it was found, for whoever computes more of it; not shown. */
  readonly path?: string | undefined;
}

export interface Case extends Picture {
  readonly actual: string;
  readonly predicted: string;
  /** Of the predicted class. */
  readonly probability: number;
  /** Of the ground truth. */
  readonly actualProbability: number;
}

export function caseList(cases: readonly Case[]): Html {
  return html`<ul class="cases">${cases.map(caseItem)}</ul>`;
}

export function pictureOf({ url, name }: Picture): Html {
  return url === null
    ? html`<div class="picture absent">picture not found</div>`
    : html`<img class="picture" src="${url}" alt="${name}">`;
}

function caseItem(one: Case): Html {
  const { actual, predicted, probability, actualProbability, name } = one;
  const right = actual === predicted;
  return html`<li>${pictureOf(one)}
<p class="verdict ${right ? 'right' : 'wrong'}">${right ? '✓' : '✗'} ${predicted} ${percent(probability)}</p>
<p>ground truth: ${actual}${!right && ` ${percent(actualProbability)}`}</p>
<p class="file">${name}</p></li>
`;
}
