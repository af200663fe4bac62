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
  /** Ids of the template. */
  template: readonly number[];
  /** Token ids of each class word, which may be several. */
  classes: readonly (readonly number[])[];
}

/** Tokenises template and class words. Throws InputError like `classTokens`, and if a sequence is longer than the context. */
export function promptText(
  tokenizer: ClipTokenizer,
  template: string,
  classes: readonly string[],
  context: number,
): PromptText {
  const text = {
    sot: tokenizer.sot,
    eot: tokenizer.eot,
    template: tokenizer.encode(template),
    classes: classTokens(tokenizer, classes),
  };
  if (text.template.length === 0)
    throw new InputError(`template ${JSON.stringify(template)}: expected at least one token`);
  text.classes.forEach((ids, i) => {
    const length = text.template.length + ids.length + 2;
    if (length > context) {
      throw new InputError(
        `template ${JSON.stringify(template)} with class ${JSON.stringify(classes[i])} is ${length} tokens long, ` +
          `and the model reads at most ${context}`,
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

/** The frozen rows of all sequences and their layout, starting with the positions of the learned tokens. */
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
  /** The rows of each class, by number: class words, then EOT. Classes share those that are equal. */
  suffixes: readonly (readonly number[])[];
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
  const tokens = text.template.length + (learnSot ? 1 : 0);
  const prefix = text.template.length + 1;
  const rows: Float32Array[] = [];
  for (let j = 0; j < tokens; j++) rows.push(tower.position(prefix - tokens + j));
  const sotRow = learnSot ? undefined : rows.length;
  if (!learnSot) rows.push(withPosition(await embeddings.row(text.sot), tower.position(0)));
  // By place in the suffix, and token.
  const known: Map<number, number>[] = [];
  const suffixes: number[][] = [];
  for (const ids of text.classes) {
    const suffix: number[] = [];
    for (const [at, id] of [...ids, text.eot].entries()) {
      known[at] ??= new Map();
      let row = known[at].get(id);
      if (row === undefined) {
        row = rows.push(withPosition(await embeddings.row(id), tower.position(prefix + at))) - 1;
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
  return { data, rows: rows.length, tokens, prefix, sotRow, suffixes };
}

/** The options that affect the initial values of the learned tokens. */
export type InitOptions = Pick<TuningOptions, 'learnSot' | 'initNoise' | 'seed'>;

/** Initial values of the learned tokens, [prompts, tokens, width]: the template's embeddings for each prompt, with optional noise. */
export async function initialPrompts(
  text: PromptText,
  { learnSot, initNoise, seed }: InitOptions,
  prompts: number,
  embeddings: TokenEmbeddings,
): Promise<Float32Array> {
  const rows = await Promise.all([...(learnSot ? [text.sot] : []), ...text.template].map((id) => embeddings.row(id)));
  const width = rows[0]!.length;
  const data = new Float32Array(prompts * rows.length * width);
  for (let i = 0; i < prompts * rows.length; i++) data.set(rows[i % rows.length]!, i * width);
  if (initNoise === 0) return data;
  const normal = normalGenerator(seed);
  const deviations = rows.map((row) => initNoise * rootMeanSquare(row));
  return data.map((value, i) => value + deviations[Math.floor(i / width) % rows.length]! * normal());
}

function rootMeanSquare(row: Float32Array): number {
  return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length);
}
