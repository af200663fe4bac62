/** What `eval`, `zeroshot` and `demo` share: saying how good predictions are, and writing them down. */
import { join } from 'node:path';
import { writeFileAtomically } from '../node/atomic.js';
import type { EncodedSplit } from '../node/labelled-images.js';
import {
  type ClassName,
  classesWithoutImages,
  type Evaluation,
  predictionsCsv,
  rowShares,
  wilsonInterval,
} from '../ptdpc/index.js';
import { print } from './output.js';
import { confusionTable, percent } from './tables.js';

/** The result for people. */
export function printEvaluation(title: string, classes: readonly ClassName[], evaluation: Evaluation): void {
  const words = classes.map(({ word }) => word);
  print(
    `${title}: accuracy ${percent(evaluation.accuracy)} of ${evaluation.count} images, loss ${evaluation.loss.toFixed(4)}`,
  );
  const [low, high] = wilsonInterval(evaluation.accuracy, evaluation.count);
  print(
    `95 % interval ${percent(low)} to ${percent(high)}, macro-F1 ${percent(evaluation.macroF1)}, expected calibration error ${percent(evaluation.calibrationError)}`,
  );
  const absent = absentWords(classes, evaluation);
  if (absent.length > 0)
    print(
      `no images of ${absent.join(', ')}: macro-F1 is the mean over the classes that occur, and the rest says nothing of those that do not`,
    );
  print('');
  print(confusionTable(words, evaluation));
}

function absentWords(classes: readonly ClassName[], { confusion }: Evaluation): string[] {
  return classesWithoutImages(confusion).map((c) => classes[c]!.word);
}

/** The result for programs; docs/evaluation.md says what each key is. */
export function evaluationJson(classes: readonly ClassName[], evaluation: Evaluation) {
  const { count, accuracy, loss, confusion, perClass, macroF1, calibration, calibrationError } = evaluation;
  return {
    count,
    accuracy,
    accuracyInterval: wilsonInterval(accuracy, count),
    loss,
    macroF1,
    calibrationError,
    classesWithoutImages: absentWords(classes, evaluation),
    classes: classes.map(({ word }) => word),
    perClassAccuracy: perClass,
    perClassPrecision: evaluation.classes.map(({ precision }) => precision),
    perClassRecall: evaluation.classes.map(({ recall }) => recall),
    perClassF1: evaluation.classes.map(({ f1 }) => f1),
    confusion,
    confusionShares: rowShares(confusion),
    calibration,
  };
}

/** `confusion.json` and `predictions.csv` in the folder of a run. */
export async function writeEvaluation(
  run: string,
  split: string,
  classes: readonly ClassName[],
  images: EncodedSplit,
  evaluation: Evaluation,
): Promise<void> {
  const json = { split, ...evaluationJson(classes, evaluation) };
  await writeFileAtomically(join(run, 'confusion.json'), `${JSON.stringify(json, null, 2)}\n`);
  const words = classes.map(({ word }) => word);
  await writeFileAtomically(join(run, 'predictions.csv'), predictionsCsv(words, images, evaluation));
}
