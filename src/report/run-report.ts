/** The page of a run: options, learning curves, metrics, and images with correct and wrong predictions. */

import { featureFactsOf } from '../learners/features/facts.js';
import type { Trial } from '../learners/features/feature-learner.js';
import { IMAGE_LEARNERS, type ImageOptions } from '../learners/images/index.js';
import { CONTEXT_LEARNERS, isPtDpc, type PromptOptions } from '../learners/prompts/index.js';
import { MOST_IN_MATRIX } from '../ptdpc/confusion.js';
import {
  balancedAccuracy,
  type ConfusionPairs,
  classesWithoutImages,
  type DistributionScores,
  type MeanShares,
  type PreprocessChoice,
  type ProbeOptions,
  wilsonInterval,
} from '../ptdpc/index.js';
import type { ReliabilityGroup } from './charts/reliability.js';
import { counted, figure, type Html, html, type Part, percent, whole } from './format.js';
import { facts, type Made, page, type Section } from './page/document.js';
import { classTable, confusionFigures } from './sections/confusion.js';
import { distributionsPart, sharesFigure } from './sections/distributions.js';
import { type Learning, learningSection } from './sections/learning.js';
import { type Fact, MODE_WORDS, methodFacts } from './sections/method.js';
import { type Case, calibrationFigure, caseList } from './sections/predictions.js';
import { absentWorth, withoutImages, worthPart } from './sections/worth.js';

export interface RunReport {
  /** The run's folder. */
  readonly name: string;
  readonly setup: RunSetup;
  readonly method: RunMethod;
  readonly classes: readonly string[];
  /** Null before the end of the first epoch, and for a run without training. */
  readonly learning: Learning | null;
  /** By data set and split; the first is the one that counts. Empty if the run has not been evaluated. */
  readonly evaluations: readonly RunEvaluation[];
}

/** What was learned, from which images. */
export type RunMethod =
  | {
      readonly learner: 'prompts';
      readonly options: PromptOptions;
      readonly images: ImageCounts;
      /** Of prompts that another program has learned: their file. */
      readonly imported?: { readonly file: string } | undefined;
    }
  | {
      readonly learner: 'images';
      readonly options: ImageOptions;
      readonly images: ImageCounts;
    }
  | {
      readonly learner: 'probe';
      readonly features: string;
      readonly preprocess: PreprocessChoice;
      readonly options: ProbeOptions;
      readonly images: ImageCounts;
    }
  | {
      readonly learner: 'features';
      readonly name: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly constants: Readonly<Record<string, number>>;
      readonly choice: readonly Trial[];
      readonly images: ImageCounts;
    }
  | { readonly learner: 'zero-shot'; readonly templates: readonly string[] };

export interface ImageCounts {
  readonly train: number;
  readonly val: number | null;
}

export interface RunSetup {
  /** Versions of this program and of Node. */
  readonly program: string;
  readonly node: string;
  /** Where it was computed. */
  readonly device: string;
  readonly model: { readonly directory: string; readonly sha256: string };
  readonly data: string;
}

/** What was measured of a classifier on some images. */
export interface MeasuredEvaluation {
  readonly accuracy: number;
  readonly loss: number;
  readonly macroF1: number;
  readonly calibrationError: number;
  /** Null for images without votes. */
  readonly distribution: DistributionScores | null;
  readonly meanShares: MeanShares | null;
  readonly calibration: readonly ReliabilityGroup[];
  /** Of actual and predicted classes. */
  readonly confusionPairs: ConfusionPairs;
  /** 1 for each image that is classified correctly, 0 for the others, in the order in which `imagesSha256` has them. */
  readonly correct: Uint8Array;
}

/** CLIP without training on the images of an evaluation. */
export interface ZeroShotEvaluation extends MeasuredEvaluation {
  readonly templates: readonly string[];
}

export interface RunEvaluation extends MeasuredEvaluation {
  readonly dataset: string;
  /** Class words: the run's, or others that its prompts were put before. */
  readonly classes: readonly string[];
  /** Epochs of training at that time. */
  readonly epochs: number;
  readonly split: string;
  /** Which images. */
  readonly imagesSha256: string;
  readonly count: number;
  /** Null if there is none, as for all learners but prompts. */
  readonly zeroShot: ZeroShotEvaluation | null;
  /** How many of the images the run was trained on, or validated on; null if that is not known. */
  readonly seen: { readonly train: number; readonly val: number } | null;
  readonly right: readonly Case[];
  readonly wrong: readonly Case[];
}

export function runReport(run: RunReport, extra: readonly Section[] = [], made?: Made): string {
  const { evaluations, learning, method } = run;
  const of = (evaluation: RunEvaluation) => (evaluations.length === 1 ? '' : `: ${titleOf(evaluation)}`);
  const worth =
    method.learner !== 'prompts'
      ? []
      : evaluations.map((evaluation, i) => ({
          id: placed('worth', i),
          title: `Was it worth it?${of(evaluation)}`,
          body: worthSection(run, evaluation),
        }));
  const results = evaluations.map((evaluation, i) => ({
    id: placed('results', i),
    title: `Results${of(evaluation)}`,
    body: resultsSection(run, evaluation),
  }));
  const pictures = evaluations.map((evaluation, i) => ({
    id: placed('pictures', i),
    title: `Pictures${of(evaluation)}`,
    body: picturesSection(evaluation),
  }));
  const sections: (Section | false)[] = [
    ...worth,
    ...results,
    learning !== null && { id: 'learning', title: 'Learning', body: learningSection(learning) },
    ...pictures,
    ...extra,
    { id: 'setup', title: 'Setup', body: setupSection(run) },
  ];
  return page({
    kind: 'PT-DPC run',
    title: run.name,
    made,
    opening: html`<p class="lead">${leadOf(run)}</p>
${evaluations.length === 0 ? html`<p class="notice">Not evaluated yet: <code>npx ptdpc eval --run … --data …</code> adds results and images.</p>` : evaluations.filter(({ zeroShot }) => zeroShot === null).map(keyFigures)}`,
    sections: sections.filter((section) => section !== false),
    footer: `Written by ptdpc ${run.setup.program}. This page loads nothing and runs no script.`,
  });
}

/** What a run is, in a sentence. */
export function leadOf({ method, classes }: RunReport): string {
  const of = `${classes.length} classes`;
  switch (method.learner) {
    case 'prompts': {
      const { options, images } = method;
      if (!isPtDpc(options))
        return `${CONTEXT_LEARNERS[options.learner].title} for ${of}, ${method.imported ? `from ${method.imported.file}` : `trained on ${counted(images.train, 'image')}`}.`;
      return `Prompts for ${of}, preset ${options.preset}, ${MODE_WORDS[options.mode]}, trained on ${counted(images.train, 'image')}.`;
    }
    case 'images':
      return `${IMAGE_LEARNERS[method.options.learner].title} for ${of}, trained on ${counted(method.images.train, 'image')}.`;
    case 'probe':
      return `A linear probe of ${of} on ${method.features} features, trained on ${counted(method.images.train, 'image')}.`;
    case 'features':
      return `${featureFactsOf(method.name)?.title ?? method.name} for ${of}, fitted to the features of ${counted(method.images.train, 'image')}.`;
    case 'zero-shot':
      return `CLIP without training, zero-shot over ${of}.`;
  }
}

const placed = (id: string, i: number): string => (i === 0 ? id : `${id}-${i + 1}`);

function titleOf({ dataset, split }: RunEvaluation): string {
  return `${dataset}, ${split}`;
}

function keyFigures(evaluation: RunEvaluation): Html {
  const { classes, dataset, split, count, accuracy, macroF1, calibrationError, loss, confusionPairs } = evaluation;
  const [low, high] = wilsonInterval(accuracy, count);
  const absent = classesWithoutImages(confusionPairs);
  const without = withoutImages(classes, evaluation);
  const of = `of ${counted(classes.length - absent.length, 'class', 'classes')}${without}`;
  const figures: [string, string][] = [
    [
      `accuracy on ${counted(count, `${split} image`)} of ${dataset}, 95 % interval ${percent(low)} to ${percent(high)}`,
      percent(accuracy),
    ],
    [`balanced accuracy ${of}`, percent(balancedAccuracy(confusionPairs))],
    [`macro-F1 ${of}`, percent(macroF1)],
    [`expected calibration error${without}`, percent(calibrationError)],
    ['cross-entropy', figure(loss)],
  ];
  return html`<dl class="headline">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function worthSection({ learning }: RunReport, evaluation: RunEvaluation): Html {
  const { classes, zeroShot } = evaluation;
  return html`${notices(evaluation, learning)}${zeroShot === null ? absentWorth() : worthPart(classes, evaluation, zeroShot)}`;
}

/** What is to be known before any of the figures. */
function notices({ split, count, epochs, seen }: RunEvaluation, learning: Learning | null): Html {
  const trained = learning?.epochs.length ?? epochs;
  const known = seen !== null && seen.train + seen.val > 0 && seen;
  return html`${epochs !== trained && html`<p class="notice">Evaluated after ${counted(epochs, 'epoch')}; the run has ${trained} now.</p>`}${
    known &&
    html`<p class="notice">Not a result on unseen images: of ${counted(count, `${split} image`)}, ${known.train} were trained on and
${known.val} are validation images of the run.</p>`
  }`;
}

function resultsSection({ learning, method }: RunReport, evaluation: RunEvaluation): Html {
  const { classes, split, count, confusionPairs: pairs, zeroShot } = evaluation;
  const confusion = { classes, pairs };
  const note = ({ calibrationError }: MeasuredEvaluation) =>
    `Area of a mark: number of images, which the bars below count. Expected calibration error ${percent(calibrationError)}, 15 bins of equal width.`;
  const diagram = (title: string, color: 'first' | 'second', one: MeasuredEvaluation) =>
    calibrationFigure(
      title,
      [{ label: 'predictions', groups: one.calibration, error: one.calibrationError, color }],
      note(one),
    );
  return html`${method.learner !== 'prompts' && notices(evaluation, learning)}<p>${counted(count, `${split} image`)}.${
    classes.length <= MOST_IN_MATRIX &&
    html` Rows of the matrices are the ground truth, columns the prediction. In the matrix of shares, each row is divided by the
number of images of its class, so that its diagonal is the accuracy of each class.`
  }</p>
${confusionFigures(confusion)}
<h3>Each class</h3>${classTable(confusion)}
${distributionsPart([...(zeroShot ? [{ ...zeroShot, name: 'zero-shot' }] : []), { ...evaluation, name: zeroShot ? 'tuned prompts' : 'run' }])}${evaluation.meanShares && sharesFigure(classes, evaluation.meanShares)}
<div class="charts pair">${diagram(zeroShot ? 'Calibration of the tuned prompts' : 'Calibration', 'first', evaluation)}${
    zeroShot && diagram('Calibration of zero-shot', 'second', zeroShot)
  }</div>`;
}

function picturesSection({ right, wrong }: RunEvaluation): Html {
  return html`<p>Images as the model sees them: the central square. Percentages are the model's probabilities.</p>
${right.length > 0 && html`<h3>Most confident correct predictions, one per class</h3>${caseList(right)}`}
${wrong.length > 0 && html`<h3>Most confident mistakes</h3>${caseList(wrong)}`}`;
}

function setupSection({ setup, method, classes }: RunReport): Html {
  const code = (text: string): Part => html`<code>${text}</code>`;
  const { model } = setup;
  const images: Fact[] =
    method.learner === 'zero-shot' || ('imported' in method && method.imported)
      ? []
      : [
          [
            'images',
            `${whole(method.images.train)} for training, ${method.images.val === null ? 'none' : whole(method.images.val)} for validation`,
          ],
        ];
  return html`<h3>Method</h3>${facts([...methodFacts(method), ['classes', classes.join(', ')]])}<h3>Data, model and machine</h3>${facts(
    [
      ['data', code(setup.data)],
      ...images,
      ['model', code(model.directory)],
      ['SHA-256 of its weights', code(model.sha256)],
      ['device', setup.device],
      ['versions', `ptdpc ${setup.program}, Node ${setup.node}`],
    ],
  )}`;
}
