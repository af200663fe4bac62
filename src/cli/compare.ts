/** `ptdpc compare`: runs on the same images, by paired tests. */
import type { Command } from 'commander';
import { counted, InputError } from '../errors.js';
import type { ComparedGroup } from '../node/compare-runs.js';
import { addExamples, jsonOption } from './options.js';
import { print, printJson, printLines } from './output.js';
import { percent, signedPoints, table } from './tables.js';

export function configure(command: Command): void {
  command
    .description(
      'Compare runs of any learner image by image, on the images that several of them were evaluated on (by content, not by name): the difference in accuracy with ' +
        "the 95 % interval of the paired bootstrap, and McNemar's exact test, its p-values adjusted for all pairs (Holm). Uses results only, no model " +
        'and no device; ptdpc eval and ptdpc zeroshot --out make them.',
    )
    .argument('<runs...>', 'folders of at least two runs')
    .addOption(jsonOption())
    .action(compare);
  addExamples(command, [
    ['ptdpc compare runs/fi runs/fi-probe', 'two learners on the same test images'],
    ['ptdpc compare runs/fi/zero-shot runs/fi runs/fi-cs --json', 'every pair of three, for a program'],
  ]);
}

async function compare(runs: string[], { json }: { json?: boolean }): Promise<void> {
  if (runs.length < 2) throw new InputError(`compare: expected at least two runs, found ${runs.length}`);
  const { compareRuns } = await import('../node/compare-runs.js');
  const groups = await compareRuns(runs);
  if (json) printJson({ groups: await Promise.all(groups.map(groupJson)) });
  else for (const [i, group] of groups.entries()) await printGroup(group, i > 0);
}

async function groupJson({ runs, pairs, ...images }: ComparedGroup) {
  const { balancedAccuracy } = await import('../ptdpc/metrics.js');
  return {
    ...images,
    runs: runs.map(({ run, learner, result }) => ({
      ...{ run, learner, epochs: result.epochs, accuracy: result.accuracy },
      ...{ balancedAccuracy: balancedAccuracy(result.confusionPairs), macroF1: result.macroF1, loss: result.loss },
    })),
    pairs: pairs.map(({ first, second, difference, interval, onlyFirst, onlySecond, pValue, adjustedPValue }) => ({
      ...{ first: runs[first]!.run, second: runs[second]!.run, difference, differenceInterval: interval },
      ...{ onlyFirst, onlySecond, pValue, adjustedPValue },
    })),
  };
}

async function printGroup({ dataset, split, count, runs, pairs }: ComparedGroup, isLater: boolean): Promise<void> {
  const { balancedAccuracy } = await import('../ptdpc/metrics.js');
  if (isLater) print('');
  print(`${dataset}, ${counted(count, `${split} image`)}`);
  print('');
  printLines(
    table(
      [
        ['run', 'learner', 'accuracy', 'balanced', 'macro-F1', 'loss'],
        ...runs.map(({ run, learner, result: { accuracy, macroF1, loss, confusionPairs } }) => [
          ...[run, learner, percent(accuracy), percent(balancedAccuracy(confusionPairs)), percent(macroF1)],
          loss.toFixed(4),
        ]),
      ],
      2,
    ),
  );
  print('');
  const p = (value: number) => String(Number(value.toPrecision(2)));
  printLines(
    table([
      ['first, second', 'points', '95 % interval', 'only first', 'only second', 'p', 'p by Holm'],
      ...pairs.map(({ first, second, difference, interval, onlyFirst, onlySecond, pValue, adjustedPValue }) => [
        ...[`${runs[first]!.run}, ${runs[second]!.run}`, signedPoints(difference)],
        ...[
          interval.map(signedPoints).join(' to '),
          String(onlyFirst),
          String(onlySecond),
          p(pValue),
          p(adjustedPValue),
        ],
      ]),
    ]),
  );
}
