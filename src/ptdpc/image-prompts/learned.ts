/** What the learners of the image tower learn: the tensors of each, by the names of files, and the numbers that they begin as. */
import type { ClipTokenizer } from '../../clip/tokenizer/index.js';
import type { TokenEmbeddings, TowerPrompts } from '../../clip/towers/index.js';
import { InputError } from '../../errors.js';
import type { ImageOptions, ImageOptionsNamed } from '../../learners/images/index.js';
import { linear, type Tensor } from '../../tensor/index.js';
import { normalGenerator, uniformGenerator } from '../../tensor/random.js';
import { type PromptText, promptText } from '../prompt-text.js';

/** The sizes of a CLIP that the learned tensors have. */
export interface TowerWidths {
  readonly vision: { readonly width: number; readonly patchSize: number };
  readonly text: { readonly width: number };
}

/** Name and shape of each learned tensor, in order. The names of MaPLe's are those of its published code. */
export function learnedShapes(
  options: ImageOptions,
  { vision, text }: TowerWidths,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  const layers = Array.from({ length: options.depth }, (_, layer) => layer);
  if (options.learner === 'vpt') return layers.map((layer) => [`prompts.${layer}`, [options.tokens, vision.width]]);
  const named = (first: string, later: string) => layers.map((at) => (at === 0 ? first : `${later}.${at - 1}`));
  const contexts = named('ctx', 'compound_prompts_text');
  const projections = named('proj', 'compound_prompt_projections');
  return [
    ...contexts.map((name) => [name, [options.context, text.width]] as const),
    ...projections.map((name) => [`${name}.weight`, [vision.width, text.width]] as const),
    ...projections.map((name) => [`${name}.bias`, [vision.width]] as const),
  ];
}

/** The learned tokens of the image tower, of tensors in the order of `learnedShapes`; part of the tape that is open. */
export function towerPrompts({ learner, depth }: ImageOptions, parameters: readonly Tensor[]): TowerPrompts {
  if (learner === 'vpt') return { layers: parameters, place: 'after class' };
  const layers = parameters
    .slice(0, depth)
    .map((context, at) => linear(context, parameters[depth + at]!, parameters[2 * depth + at]!));
  return { layers, place: 'end' };
}

/** The standard deviation of MaPLe's tokens of later layers, and of the first where no words are given. */
const DEVIATION = 0.02;

/** The numbers that training begins with, in the order of `learnedShapes`. `embeddings` and `text` are needed for MaPLe's words. */
export async function learnedStart(
  options: ImageOptions,
  widths: TowerWidths,
  embeddings: TokenEmbeddings,
  text: PromptText | undefined,
): Promise<Float32Array[]> {
  const [uniform, normal] = [uniformGenerator(options.seed), normalGenerator(options.seed)];
  const drawn = (size: number, draw: () => number) => Float32Array.from({ length: size }, draw);
  const { vision } = widths;
  // Jia et al.'s code draws as if a token were a patch's embedding (Glorot and Bengio, 2010).
  const glorot = Math.sqrt(6 / (3 * vision.patchSize ** 2 + vision.width));
  // PyTorch's nn.Linear.
  const bound = 1 / Math.sqrt(widths.text.width);
  const starts: Float32Array[] = [];
  const later = new Map<string, Float32Array>();
  for (const [name, shape] of learnedShapes(options, widths)) {
    const size = shape.reduce((product, length) => product * length, 1);
    const isContext = name === 'ctx' || name.startsWith('compound_prompts_text');
    if (options.learner === 'vpt') starts.push(drawn(size, () => glorot * (2 * uniform() - 1)));
    else if (name === 'ctx' && options.initWords.trim() !== '') starts.push(await wordsOf(text, embeddings));
    else if (isContext) starts.push(drawn(size, () => DEVIATION * normal()));
    else {
      // The projections of later layers begin as copies of one.
      const kind = name.replace(/\.\d+\./, '.');
      const start = later.get(kind) ?? drawn(size, () => bound * (2 * uniform() - 1));
      later.set(kind, start);
      starts.push(start);
    }
  }
  return starts;
}

async function wordsOf(text: PromptText | undefined, embeddings: TokenEmbeddings): Promise<Float32Array> {
  if (!text) throw new Error('a context of words needs their tokens');
  const rows = await Promise.all(text.template.map((id) => embeddings.row(id)));
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) all.set(row, at * width);
  return all;
}

/**
 * MaPLe's texts: of the words around the class word, the first `context` are learned and the others stay, as in the published code; then the class word and a
 * full stop. Throws InputError as `promptText` does, and if the words have fewer tokens than are to be learned.
 */
export function mapleText(
  tokenizer: ClipTokenizer,
  { context, initWords }: Pick<ImageOptionsNamed<'maple'>, 'context' | 'initWords'>,
  words: readonly string[],
  length: number,
): PromptText {
  const layout = { context: initWords.trim() === '' ? context : initWords, stop: '.' };
  const text = promptText(tokenizer, layout, words, length);
  const { template } = text;
  if (template.length < context)
    throw new InputError(
      `--context ${context}: --init-words ${JSON.stringify(initWords)} has ${template.length} tokens; give as many words, or --init-words "" for noise`,
    );
  const stay = template.slice(context);
  return { ...text, template: template.slice(0, context), classes: text.classes.map((ids) => [...stay, ...ids]) };
}
