/** Tokens of the template and the class words, and their frozen rows in the text tower's input. */
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { withPosition } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { normalGenerator } from '../tensor/random.js';
import type { TuningOptions } from './options.js';

/** The token ids of template and class words. */
export interface PromptText {
  sot: number;
  eot: number;
  /** Ids of the template, one for each learned token. */
  template: readonly number[];
  /** Token ids of each class word, which may be several. */
  classes: readonly (readonly number[])[];
  /** How many of the learned tokens stand after the class word. Default: none. */
  after?: number;
  /** Ids before EOT: CoOp ends its prompts with a full stop. Default: none. */
  stop?: readonly number[];
}

/** How the text of a class is made of learned tokens and its word. */
export interface PromptLayout {
  /** Words that the learned tokens begin as, or the number of tokens that begin as noise. */
  readonly context: string | number;
  /** Where the class word stands: after, between, or before the learned tokens. Default: after. */
  readonly classPosition?: 'end' | 'middle' | 'front';
  /** What stands before EOT. Default: nothing. */
  readonly stop?: string;
}

/**
 * Tokenises class words and the words around them: a template before, or as `layout` says. Throws InputError like `classTokens`, and if a
 * sequence is longer than the context.
 */
export function promptText(
  tokenizer: ClipTokenizer,
  layout: string | PromptLayout,
  classes: readonly string[],
  context: number,
): PromptText {
  const { context: words, classPosition = 'end', stop } = typeof layout === 'string' ? { context: layout } : layout;
  const template = typeof words === 'string' ? tokenizer.encode(words) : new Array<number>(words).fill(tokenizer.sot);
  const what = typeof words === 'string' ? `template ${JSON.stringify(words)}` : `a context of ${words} tokens`;
  if (template.length === 0) throw new InputError(`${what}: expected at least one token`);
  // CoOp's code rounds the first half down.
  const after = { end: 0, middle: Math.ceil(template.length / 2), front: template.length }[classPosition];
  const text = {
    ...{ sot: tokenizer.sot, eot: tokenizer.eot, template, classes: classTokens(tokenizer, classes) },
    ...(after > 0 && { after }),
    ...(stop !== undefined && { stop: tokenizer.encode(stop) }),
  };
  text.classes.forEach((ids, i) => {
    const length = template.length + ids.length + (text.stop?.length ?? 0) + 2;
    if (length > context) {
      throw new InputError(
        `${what} with class ${JSON.stringify(classes[i])} is ${length} tokens long, and the model reads at most ${context}`,
      );
    }
  });
  return text;
}

/**
 * Token ids of each class word. Throws InputError for a word without tokens, and if two classes have the same tokens, since no prompt
 * can distinguish them.
 */
export function classTokens(
  tokenizer: Pick<ClipTokenizer, 'encode'>,
  classes: readonly string[],
): (readonly number[])[] {
  const classOf = new Map<string, string>();
  return classes.map((word) => {
    const ids = tokenizer.encode(word);
    if (ids.length === 0) throw new InputError(`class ${JSON.stringify(word)}: expected at least one token`);
    const other = classOf.get(ids.join());
    if (other !== undefined) {
      throw new InputError(
        `classes ${JSON.stringify(other)} and ${JSON.stringify(word)} have the same tokens, so CLIP cannot distinguish them; ` +
          'give one of them another word',
      );
    }
    classOf.set(ids.join(), word);
    return ids;
  });
}

/** The frozen rows of all sequences and their layout, starting with the positions of the learned tokens before the class word. */
export interface FrozenRows {
  /** [rows, width]. */
  data: Float32Array;
  rows: number;
  /** Learned tokens per sequence. */
  tokens: number;
  /** Rows before the class word: SOT if it is frozen, and the learned tokens. */
  prefix: number;
  /** Row of SOT, if it is frozen. */
  sotRow: number | undefined;
  /** The rows of each class, by number: class words, then learned tokens if there are any after them, EOT last. Classes share those that are equal. */
  suffixes: readonly (readonly number[])[];
  /** Where the learned tokens in each class's rows start, and how many there are; their frozen rows are their positions alone. */
  after: { readonly starts: readonly number[]; readonly count: number };
}

/**
 * The rows that do not change during tuning: the position embeddings of the learned tokens, SOT, and every class's words with
 * EOT, with positions added. A token at the same place of several classes is one row: EOT mostly is, and many classes need no more rows
 * than the vocabulary has tokens at a place.
 */
export async function frozenRows(
  text: PromptText,
  learnSot: boolean,
  tower: TextTower,
  embeddings: TokenEmbeddings,
): Promise<FrozenRows> {
  const { after = 0, stop = [] } = text;
  const tokens = text.template.length + (learnSot ? 1 : 0);
  const before = tokens - after;
  const prefix = text.template.length - after + 1;
  const rows: Float32Array[] = [];
  for (let j = 0; j < before; j++) rows.push(tower.position(prefix - before + j));
  const sotRow = learnSot ? undefined : rows.length;
  if (!learnSot) rows.push(withPosition(await embeddings.row(text.sot), tower.position(0)));
  // By place in the suffix, and token.
  const known: Map<number, number>[] = [];
  const suffixes: number[][] = [];
  for (const ids of text.classes) {
    const suffix: number[] = [];
    const sequence = [...ids, ...new Array<number>(after).fill(LEARNED), ...stop, text.eot];
    for (const [at, id] of sequence.entries()) {
      known[at] ??= new Map();
      let row = known[at].get(id);
      if (row === undefined) {
        const position = tower.position(prefix + at);
        row = rows.push(id === LEARNED ? position : withPosition(await embeddings.row(id), position)) - 1;
        known[at].set(id, row);
      }
      suffix.push(row);
    }
    suffixes.push(suffix);
  }
  const { width } = tower.config.text;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    data.set(row, i * width);
  });
  const starts = text.classes.map(({ length }) => length);
  return { data, rows: rows.length, tokens, prefix, sotRow, suffixes, after: { starts, count: after } };
}

/** In place of an id: a learned token. */
const LEARNED = -1;

/** The options that affect the initial values of the learned tokens. */
export interface InitOptions extends Pick<TuningOptions, 'learnSot' | 'initNoise' | 'seed'> {
  /** Normal noise of this standard deviation in place of the template's embeddings. */
  readonly initDeviation?: number | undefined;
}

/**
 * Initial values of the learned tokens, [prompts, tokens, width]: the template's embeddings for each prompt, with optional noise, or noise
 * alone.
 */
export async function initialPrompts(
  text: PromptText,
  { learnSot, initNoise, seed, initDeviation }: InitOptions,
  prompts: number,
  embeddings: TokenEmbeddings,
): Promise<Float32Array> {
  const rows = await Promise.all([...(learnSot ? [text.sot] : []), ...text.template].map((id) => embeddings.row(id)));
  const width = rows[0]!.length;
  const data = new Float32Array(prompts * rows.length * width);
  if (initDeviation !== undefined) {
    const normal = normalGenerator(seed);
    return data.map(() => initDeviation * normal());
  }
  for (let i = 0; i < prompts * rows.length; i++) data.set(rows[i % rows.length]!, i * width);
  if (initNoise === 0) return data;
  const normal = normalGenerator(seed);
  const deviations = rows.map((row) => initNoise * rootMeanSquare(row));
  return data.map((value, i) => value + deviations[Math.floor(i / width) % rows.length]! * normal());
}

function rootMeanSquare(row: Float32Array): number {
  return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length);
}
