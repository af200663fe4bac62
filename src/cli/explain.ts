/** `ptdpc explain`: the nearest words of the learned tokens, and an image's weights. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExplainedImage } from '../node/use-run.js';
import type { PromptExplanation, VocabularyWord } from '../ptdpc/index.js';
import { SKIPPABLE_WORDS, type SkippableWords, WORD_METRICS, type WordMetric } from '../ptdpc/options.js';
import { imageJob } from './device.js';
import { AS_IN_THE_RUN, addExamples, addJobOptions, type JobOptions, parseInteger, runOption } from './options.js';
import { print, printJson, printLines, say, saySkipped } from './output.js';
import { percent, table } from './tables.js';

interface Options extends JobOptions {
  run: string;
  model?: string;
  top: number;
  metric: WordMetric;
  skip?: SkippableWords[];
}

export function configure(command: Command): void {
  command
    .description(
      'Show what the prompts of a run have learned: for each learned token the nearest tokens of the vocabulary, by cosine or Euclidean ' +
        'distance of the embeddings. For images, the probabilities and the weights w[i][j] of class i and token j. Modes cs and ' +
        'none have no weights; modes is and none share their tokens between classes.',
    )
    .argument('[images...]', 'image files, or folders of them')
    .addOption(runOption())
    .option('--model <dir>', "model directory (default: the run's)")
    .option('--top <k>', 'words per learned token', parseInteger(1, 10_000), 5)
    .addOption(new Option('--metric <name>', 'how distance is measured').choices(WORD_METRICS).default('cosine'))
    .option(
      '--skip <kinds>',
      `tokens of the vocabulary to leave out, comma-separated: ${SKIPPABLE_WORDS.join(', ')} (start and end of text; parts ` +
        'of words; the initial tokens of the prompt)',
      parseSkip,
    );
  addJobOptions(command, AS_IN_THE_RUN).action(explain);
  addExamples(command, [
    ['ptdpc explain --run runs/fi', 'the nearest words of all learned tokens'],
    ['ptdpc explain --run runs/fi holiday.jpg', 'and the weights for this image'],
    ['ptdpc explain --run runs/fi --metric euclidean --top 1 --skip special,fragments', 'as CoOp reports them'],
    ['ptdpc explain --run runs/fi holiday.jpg --json > explanation.json', 'all of it, for a program'],
  ]);
}

async function explain(inputs: string[], options: Options): Promise<void> {
  const { explainRun } = await import('../node/use-run.js');
  const { run, model, top, metric, skip = [] } = options;
  const explained = await explainRun({ ...imageJob(options, false), run, model, images: inputs, top, metric, skip });
  const { prompts, images, skipped, truncated } = explained;
  if (options.json) printJson({ run, ...prompts, images, skipped, truncated });
  else {
    for (const image of images) printImage(prompts, image);
    printWords(prompts);
  }
  saySkipped(skipped, truncated);
}

function printImage({ classes, tokens }: PromptExplanation, { path, probabilities, weights }: ExplainedImage): void {
  print(`${path}:`);
  const heads = weights ? tokens.map(shown) : [];
  const rowOf = (c: number) => weights?.[weights.length === 1 ? 0 : c]?.map((w) => w.toFixed(4)) ?? [];
  // A prompt that all classes share has one row of weights, which stands below the classes.
  const shared = weights?.length === 1 && classes.length > 1;
  const lines = classes.map((word, c) => [word, percent(probabilities[c]!), ...(shared ? [] : rowOf(c))]);
  if (shared) lines.push(['(shared prompt)', '', ...rowOf(0)]);
  printLines(table([['class', 'probability', ...heads.map((head) => `w(${head})`)], ...lines]));
  print('');
}

function printWords({ classes, tokens, prompts, metric, equal, absent }: PromptExplanation): void {
  const figure = metric === 'cosine' ? 'similarity' : 'distance';
  for (const prompt of equal ? prompts.slice(0, 1) : prompts) {
    const whose = prompt.class === null || equal ? 'all classes' : classes[prompt.class];
    print(`${whose}: nearest words by ${figure}`);
    const rows = prompt.tokens.map(({ start, nearest }, j) => [
      `${j + 1}`,
      shown(tokens[j]!),
      start[figure].toFixed(4),
      ...nearest.map((word) => `${shown(word)} ${word[figure].toFixed(4)}`),
    ]);
    const places = Array.from({ length: prompt.tokens[0]?.nearest.length ?? 0 }, (_, rank) => `nearest ${rank + 1}`);
    printLines(table([['token', 'began as', figure, ...places], ...rows]));
    print('');
  }
  if (equal) say('the tokens of all classes are equal: they started equal, and composition treats all classes alike');
  for (const line of absent) say(line);
}

/** A token of the vocabulary as text: `joy`, or `jo-` for a part of a word. */
function shown({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  const visible = text.replace(
    /[\p{C}\p{Z}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
  return kind === 'fragment' ? `${visible}-` : visible;
}

function parseSkip(list: string): SkippableWords[] {
  const kinds = list.split(',').map((kind) => kind.trim());
  const isKind = (kind: string): kind is SkippableWords => SKIPPABLE_WORDS.some((known) => known === kind);
  if (kinds.every(isKind)) return kinds;
  throw new InvalidArgumentError(`Expected some of ${SKIPPABLE_WORDS.join(', ')}, separated by commas.`);
}
