/** `ptdpc random-model`: a CLIP, or another encoder, with random weights. */
import { type Command, Option } from 'commander';
import { ARCHITECTURES } from '../clip/config/architectures.js';
import { InputError } from '../errors.js';
import { COMPARED_ENCODERS, type ComparedEncoder } from '../ptdpc/experiment/paper-tables.js';
import { addExamples, jsonOption, parseSeed } from './options.js';
import { printJson, say } from './output.js';
import { progress } from './progress.js';

interface Options {
  arch: string;
  seed: number;
  out: string;
  vocab?: string;
  small?: boolean;
  dtype: 'f16' | 'f32';
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Write a model directory with random weights, for tests and benchmarks at real size. The weights have the ' +
        "scales of CLIP's initialisation and depend only on the seed. Without --vocab the tokenizer has no merges: " +
        "its merges.txt ends after the first line. Or write another encoder of the paper's Table 4, in single precision, under its " +
        'published tensor names; its file says that its weights are random.',
    )
    .addOption(
      new Option('--arch <name>', 'architecture')
        .choices([...ARCHITECTURES.keys(), ...COMPARED_ENCODERS])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <dir>', 'model directory to create')
    .option('--small', 'another encoder with few channels, for a demonstration')
    .option('--seed <n>', 'seed of the weights', parseSeed, 0)
    .option('--vocab <file>', 'vocabulary: merges.txt, tokenizer.json or bpe_simple_vocab_16e6.txt.gz')
    .addOption(
      new Option('--dtype <type>', 'type of the stored weights of a CLIP').choices(['f16', 'f32']).default('f16'),
    )
    .addOption(jsonOption())
    .action(randomModel);
  addExamples(command, [
    ['ptdpc random-model --arch ViT-B/32 --seed 0 --out random-b32', '151 M weights, 302 MB'],
    ['ptdpc random-model --arch ResNet101 --out random-resnet101', 'another encoder, 44 M weights, 178 MB'],
    ['ptdpc random-model --arch ViT-L/14 --out random-l14 --vocab merges.txt', "with CLIP's vocabulary"],
  ]);
}

async function randomModel(options: Options): Promise<void> {
  const { arch, seed, out, vocab, dtype, json } = options;
  const encoder = COMPARED_ENCODERS.find((name) => name === arch);
  if (encoder) return await randomEncoder(encoder, options);
  if (options.small) throw new InputError(`--small: only with --arch ${COMPARED_ENCODERS.join(', ')}, found ${arch}`);
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

async function randomEncoder(arch: ComparedEncoder, { seed, out, vocab, small = false, json }: Options): Promise<void> {
  const { randomEncoderWeights, writeRandomEncoder } = await import('../node/random-encoder.js');
  if (vocab !== undefined) throw new InputError(`--vocab: ${arch} is not a CLIP, so it has none; leave it out`);
  const weights = randomEncoderWeights(arch, small);
  {
    using bar = progress(4 * weights, 'writing', 'B');
    await writeRandomEncoder(out, arch, { small, seed }, (bytes) => bar.tick(bytes));
  }
  const size = small ? 'small ' : '';
  if (json) printJson({ out, arch, small, seed, dtype: 'f32', weights });
  else say(`${out}: ${size}${arch}, ${(weights / 1e6).toPrecision(3)} M random weights in f32, seed ${seed}`);
}
