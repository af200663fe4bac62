/**
 * Writes a model directory whole or not at all: weights and config.json, the vocabulary if there is one, and the small
 * files that let transformers' `CLIPModel` and `CLIPProcessor` load it too.
 */
import { type Checkpoint, type ConvertOptions, convertToModelDirectory } from '../clip/checkpoint/index.js';
import { type ClipConfig, clipTensors, preprocessorJson } from '../clip/config.js';
import { clipPreprocessing, type Preprocessing } from '../clip/image/index.js';
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import { createDirectoryAtomically, directorySink } from './atomic.js';

export interface ModelParts {
  readonly checkpoint: Checkpoint;
  readonly config: ClipConfig;
  /** OpenAI's unless given. */
  readonly preprocessing?: Preprocessing | undefined;
  readonly tokenizer?: ClipTokenizer | undefined;
}

/** Creates `directory`. `onBytes` is called with the bytes of weights as they are written; `weightBytes` is their total. */
export async function writeModelDirectory(
  directory: string,
  { checkpoint, config, preprocessing, tokenizer }: ModelParts,
  options: ConvertOptions,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  await createDirectoryAtomically(directory, async (temporary) => {
    const sink = directorySink(temporary);
    const writeText = (name: string, text: string) => sink.write(name, new TextEncoder().encode(text));
    try {
      const { sot = config.text.sot, eot = config.text.eot } = tokenizer ?? {};
      const known: ClipConfig = { ...config, text: { ...config.text, sot, eot } };
      await convertToModelDirectory(checkpoint, known, options, async (name, chunk) => {
        await sink.write(name, chunk);
        if (name === 'model.safetensors') onBytes(chunk.length);
      });
      await writeText(
        'preprocessor_config.json',
        preprocessorJson(preprocessing ?? clipPreprocessing(config.vision.imageSize)),
      );
      if (tokenizer) {
        await writeText('merges.txt', tokenizer.mergesText());
        await writeText('vocab.json', tokenizer.vocabJson());
        await writeText('tokenizer_config.json', tokenizerJson(config));
      }
    } finally {
      await sink.close();
    }
  });
}

/** Bytes of the weights that `writeModelDirectory` will write, header aside. */
export function weightBytes(config: ClipConfig, dtype: ConvertOptions['dtype']): number {
  return weightCount(config) * (dtype === 'f16' ? 2 : 4);
}

/** Numbers in all tensors of a CLIP. */
export function weightCount(config: ClipConfig): number {
  return clipTensors(config).reduce((sum, { shape }) => sum + shape.reduce((size, axis) => size * axis, 1), 0);
}

function tokenizerJson({ text }: ClipConfig): string {
  return json({
    tokenizer_class: 'CLIPTokenizer',
    model_max_length: text.context,
    do_lower_case: true,
    bos_token: '<|startoftext|>',
    eos_token: '<|endoftext|>',
    unk_token: '<|endoftext|>',
    pad_token: '<|endoftext|>',
  });
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
