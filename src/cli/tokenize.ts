/** `ptdpc tokenize`: the token ids of texts. */
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { addExamples, jsonOption, modelOption } from './options.js';
import { print, printJson } from './output.js';

interface Options {
  model: string;
  special: boolean;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Print the token ids of texts, one JSON array per line, with start and end tokens as CLIP's text tower takes them, " +
        "but without padding. A text longer than the model's context is refused.",
    )
    .argument('<texts...>', 'texts')
    .addOption(modelOption())
    .option('--no-special', 'leave out the start and end tokens (and allow any length)')
    .addOption(jsonOption())
    .action(tokenize);
  addExamples(command, [
    ['ptdpc tokenize --model clip-b32 "a photo of a dog"', '[49406,320,1125,539,320,1929,49407]'],
    ['ptdpc tokenize --model clip-b32 --no-special amusement contentment', 'class words: one line each'],
  ]);
}

async function tokenize(texts: string[], options: Options): Promise<void> {
  const { readDescription } = await import('../node/checkpoint-files.js');
  const { readTokenizer } = await import('../node/model-directory.js');
  const description = await readDescription(options.model);
  if (!description) throw new InputError(`${options.model}: not a model directory, it has no config.json`);
  const { config } = description;
  const tokenizer = await readTokenizer(options.model, config);
  const results = texts.map((text) => ({
    text,
    ids: options.special ? tokenizer.encodeText(text, config.text.context) : tokenizer.encode(text),
  }));
  if (options.json) printJson(results);
  else for (const { ids } of results) print(JSON.stringify(ids));
}
