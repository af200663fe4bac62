/** `ptdpc random-model`: a CLIP at real size with random weights. */
import { type Command, Option } from 'commander';
import { ARCHITECTURES } from '../clip/config/architectures.js';
import { addExamples, jsonOption, parseSeed } from './options.js';
import { printJson, say } from './output.js';
import { progress } from './progress.js';

interface Options {
  arch: string;
  seed: number;
  out: string;
  vocab?: string;
  dtype: 'f16' | 'f32';
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Write a model directory with random weights, for tests and benchmarks at real size. The weights have the ' +
        "scales of CLIP's initialisation and depend only on the seed. Without --vocab the tokenizer has no merges: " +
        'its merges.txt ends after the first line.',
    )
    .addOption(new Option('--arch <name>', 'architecture').choices([...ARCHITECTURES.keys()]).makeOptionMandatory())
    .requiredOption('--out <dir>', 'model directory to create')
    .option('--seed <n>', 'seed of the weights', parseSeed, 0)
    .option('--vocab <file>', 'vocabulary: merges.txt, tokenizer.json or bpe_simple_vocab_16e6.txt.gz')
    .addOption(new Option('--dtype <type>', 'type of the stored weights').choices(['f16', 'f32']).default('f16'))
    .addOption(jsonOption())
    .action(randomModel);
  addExamples(command, [
    ['ptdpc random-model --arch ViT-B/32 --seed 0 --out random-b32', '151 M weights, 302 MB'],
    ['ptdpc random-model --arch ViT-L/14 --out random-l14 --vocab merges.txt', "with CLIP's vocabulary"],
  ]);
}

async function randomModel({ arch, seed, out, vocab, dtype, json }: Options): Promise<void> {
  const { ClipTokenizer } = await import('../clip/tokenizer/index.js');
  const { readVocabulary } = await import('../node/model-directory.js');
  const { randomClipCheckpoint } = await import('../node/random-clip.js');
  const { weightBytes, weightCount, writeModelDirectory } = await import('../node/write-model-directory.js');
  const config = ARCHITECTURES.get(arch)!;
  const { vocabularySize } = config.text;
  const tokenizer =
    vocab === undefined ? ClipTokenizer.bytesOnly({ vocabularySize }) : await readVocabulary(vocab, config);
  const checkpoint = randomClipCheckpoint(config, seed);
  {
    using bar = progress(weightBytes(config, dtype), 'writing', 'B');
    await writeModelDirectory(out, { checkpoint, config, tokenizer }, { dtype }, (bytes) => bar.tick(bytes));
  }
  const weights = weightCount(config);
  if (json) printJson({ out, arch, seed, dtype, weights, vocabulary: vocab ?? 'bytes' });
  else say(`${out}: ${arch}, ${(weights / 1e6).toFixed(0)} M random weights in ${dtype}, seed ${seed}`);
}
