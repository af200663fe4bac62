/** `ptdpc learners`: what `ptdpc train --learner` can train. */
import type { Command } from 'commander';
import { LEARNERS, type LearnerFacts, type LearnerSizes } from '../learners/index.js';
import { flagOf } from '../ptdpc/options.js';
import { addExamples, jsonOption, parseInteger } from './options.js';
import { print, printJson, printLines } from './output.js';
import { table } from './tables.js';

interface Options {
  classes: number;
  json?: boolean;
}

/** ViT-B/32. */
const SIZES = { width: 512, vision: 768, joint: 512 };

export function configure(command: Command): void {
  command
    .description(
      'List the learners of ptdpc train --learner: what each learns, how many numbers (for ViT-B/32 and its default options), and its paper. ' +
        'docs/learners.md has their equations, and what they were checked against.',
    )
    .option('--classes <n>', 'classes to count the numbers for', parseInteger(2), 8)
    .addOption(jsonOption())
    .action(list);
  addExamples(command, [
    ['ptdpc learners', 'all of them'],
    ['ptdpc learners --classes 1000 --json', 'for a thousand classes, for a program'],
  ]);
}

function list({ classes, json }: Options): void {
  const sizes = { ...SIZES, classes };
  if (json) {
    printJson({ sizes, learners: LEARNERS.map((learner) => asJson(learner, sizes)) });
    return;
  }
  printLines(
    table(
      [
        ['learner', 'learns', 'numbers'],
        ...LEARNERS.map(({ name, learns, parameters, defaults }) => [
          name,
          learns,
          parameters(sizes, defaults).toLocaleString('en'),
        ]),
      ],
      2,
    ),
  );
  print('');
  for (const { title, paper } of LEARNERS) print(`${title}: ${paper.text}, ${paper.url}`);
}

function asJson({ fields, parameters, ...facts }: LearnerFacts, sizes: LearnerSizes) {
  const flags = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, flagOf(field)]));
  return { ...facts, flags, parameters: parameters(sizes, facts.defaults) };
}
