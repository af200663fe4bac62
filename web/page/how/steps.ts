/** An explained picture as the drawing needs it: rows of classes or of the one shared prompt, numbers by place, and what can be opened. */
import type { ExplainAnswer } from '../../protocol.js';
import { wordOf } from '../format.js';

/** A number, or a vector, that can be opened. `row` counts the drawn classes, or is 0 for a prompt that all share. */
export type Cell =
  | { readonly step: 'feature' }
  | { readonly step: 'cosine' | 'weight'; readonly row: number; readonly token: number }
  /** `row`: of a class whose prompt is read as it is; 0 otherwise. */
  | { readonly step: 'prompt'; readonly row: number; readonly token: number }
  | { readonly step: 'text' | 'logit' | 'probability'; readonly row: number };

export type MatrixStep = 'cosine' | 'weight';

/** Of one picture, with ways to its numbers. */
export class Steps {
  /** Drawn classes. */
  readonly classes: readonly string[];
  /** Sets of learned tokens: one for each drawn class, or 1. */
  readonly prompts: number;
  readonly tokens: number;
  readonly width: number;
  /** Names of the learned tokens: what they began as. */
  readonly tokenNames: readonly string[];
  /** Names of the prompts: class words, or `all classes`. */
  readonly promptNames: readonly string[];

  constructor(readonly answer: ExplainAnswer) {
    const [prompts = 0, tokens = 0, width = 0] = answer.shape;
    this.classes = answer.classes;
    this.prompts = prompts;
    this.tokens = tokens;
    this.width = width;
    this.tokenNames = answer.tokens.map(wordOf);
    this.promptNames = prompts === 1 ? ['all classes'] : answer.classes;
  }

  /** True if the prompt that is read is composed for the picture. */
  get composes(): boolean {
    return this.answer.composed !== null;
  }

  /** True if all classes are read with one prompt. */
  get oneText(): boolean {
    return this.composes || this.prompts === 1;
  }

  /** Cosines or weights [prompts, tokens]; null in modes that have none. */
  matrix(step: MatrixStep): Float32Array | null {
    return step === 'cosine' ? this.answer.cosines : this.answer.weights;
  }

  /** p[row][token], [width]. */
  learned(row: number, token: number): Float32Array {
    const at = (row * this.tokens + token) * this.width;
    return this.answer.prompts.subarray(at, at + this.width);
  }

  /** The tokens that the text tower reads before the class word of a row, [width] each. */
  read(row: number, token: number): Float32Array {
    const { composed } = this.answer;
    if (!composed) return this.learned(this.prompts === 1 ? 0 : row, token);
    return composed.subarray(token * this.width, (token + 1) * this.width);
  }

  /** Normalised text feature of a row, [width]. */
  text(row: number): Float32Array {
    return this.answer.texts.subarray(row * this.width, (row + 1) * this.width);
  }

  /** Row of the most probable class. */
  get best(): number {
    return this.answer.probabilities.reduce((most, p, i, all) => (p > all[most]! ? i : most), 0);
  }

  /** True if several classes have tokens and all of them are equal. */
  get equal(): boolean {
    const { prompts } = this.answer;
    const size = this.tokens * this.width;
    return this.prompts > 1 && prompts.every((value, i) => value === prompts[i % size]);
  }

  /** Sum of a token's weights over the drawn prompts. */
  weightSum(token: number): number {
    let sum = 0;
    for (let row = 0; row < this.prompts; row++) sum += this.answer.weights?.[row * this.tokens + token] ?? 0;
    return sum;
  }

  /** `awe, 2 photo`: for people. */
  nameOf(row: number, token: number): string {
    return `${this.promptNames[row]}, token ${token + 1} (${this.tokenNames[token]})`;
  }
}

/** Whether two cells are the same one. */
export function sameCell(a: Cell, b: Cell): boolean {
  const numbers = (cell: Cell) => ['row' in cell ? cell.row : 0, 'token' in cell ? cell.token : 0].join();
  return a.step === b.step && numbers(a) === numbers(b);
}

/** The cell, or the nearest one that there is. */
export function fittingCell(cell: Cell, steps: Steps): Cell {
  if (cell.step === 'feature') return cell;
  if (cell.step === 'cosine' || cell.step === 'weight') {
    if (!steps.matrix(cell.step)) return { step: 'logit', row: steps.best };
    return { ...cell, row: Math.min(cell.row, steps.prompts - 1), token: Math.min(cell.token, steps.tokens - 1) };
  }
  if (cell.step === 'prompt') {
    const rows = steps.oneText ? 1 : steps.classes.length;
    return { ...cell, row: Math.min(cell.row, rows - 1), token: Math.min(cell.token, steps.tokens - 1) };
  }
  return { ...cell, row: Math.min(cell.row, steps.classes.length - 1) };
}

/** The dot product of two vectors, in double precision. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** So many digits after the point, with a minus sign. */
export function fixed(value: number, digits = 4): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}
