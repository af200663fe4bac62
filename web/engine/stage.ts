/** What there is to watch of a tuning: its answers to a few held-out pictures, and its tokens on their way. */
import {
  type ClipModel,
  type Evaluation,
  explainPrompts,
  type PromptModel,
  predictLogits,
  type TrainingState,
  type TuningOptions,
  evaluate as tally,
} from '../../src/ptdpc/index.js';
import { type Plane, principalPlane, project } from '../../src/ptdpc/principal-plane.js';
import { MOST_DRAWN } from '../most-shown.js';
import type { Stage, TokenMap, ZeroShotTold } from '../protocol.js';
import type { PreparedData } from './prepared-data.js';

/** States of a trail: of more, every second one is left out. */
const MOST_STATES = 40;

/** Numbers of a vocabulary that are compared after every epoch; a larger one where a tuning pauses or ends. */
const QUICK_VOCABULARY = 2 ** 22;

export class Stages {
  /** Of the last step. */
  loss: number | null = null;
  #last: Stage | undefined;
  readonly #trail: Trail;

  private constructor(
    private readonly clip: ClipModel,
    private readonly data: PreparedData,
    private readonly options: TuningOptions,
    private readonly stepsPerEpoch: number,
    readonly zeroShot: ZeroShotTold['zeroShot'],
  ) {
    this.#trail = new Trail(clip.source.config.text.width);
  }

  static async open(clip: ClipModel, data: PreparedData, options: TuningOptions, stepsPerEpoch: number) {
    const words = data.classes.map(({ word }) => word);
    const { val } = data.splits;
    const { features } = data.watched;
    const zeroShot = (images: Float32Array) => clip.zeroShot(images, words, options.template);
    const accuracy = val ? tally((await zeroShot(val.features)).logits, val.labels, words.length).accuracy : null;
    const answers = features.length === 0 ? [] : [...(await zeroShot(features)).predicted];
    return new Stages(clip, data, options, stepsPerEpoch, { accuracy, answers });
  }

  /** As it is before this step. */
  before(steps: number, model: PromptModel): Promise<Stage> {
    return this.#look(steps, false, model);
  }

  /** As it is where it pauses: looked at anew only if a step has been taken. */
  async paused(steps: number, model: PromptModel): Promise<Stage> {
    const last = this.#last;
    if (last?.steps === steps && last.tokens.words) return { ...last, paused: true };
    return this.#look(steps, true, model);
  }

  /** As it is after an epoch, whose evaluation of the validation pictures answers for those watched. */
  async after({ epochs, prompts }: TrainingState, seen: Evaluation | undefined): Promise<Stage> {
    const { places, split } = this.data.watched;
    const steps = epochs * this.stepsPerEpoch;
    const wordsToo = epochs === this.options.epochs;
    const known = split === 'val' && seen ? places.map((place) => seen.predicted[place]!) : [];
    return this.#keep(steps, false, prompts, known, wordsToo);
  }

  async #look(steps: number, paused: boolean, model: PromptModel): Promise<Stage> {
    const { features } = this.data.watched;
    const classes = this.data.classes.length;
    const answers: number[] = [];
    if (features.length > 0) {
      const logits = await predictLogits(model, features, this.clip.memory);
      const { predicted } = tally(logits, new Int32Array(logits.length / classes), classes);
      answers.push(...predicted);
    }
    return this.#keep(steps, paused, await model.prompts.read(), answers, paused);
  }

  async #keep(steps: number, paused: boolean, prompts: Float32Array, answers: readonly number[], wordsToo: boolean) {
    const tokens = await this.#tokens(steps, prompts, wordsToo);
    this.#last = { steps, stepsPerEpoch: this.stepsPerEpoch, paused, loss: this.loss, answers, tokens };
    return this.#last;
  }

  async #tokens(steps: number, prompts: Float32Array, wordsToo: boolean): Promise<TokenMap> {
    const { clip, options } = this;
    const { width } = clip.source.config.text;
    const tokenizer = await clip.source.tokenizer();
    const tokens = tokenizer.encode(options.template).length + Number(options.learnSot);
    const all = prompts.length / (tokens * width);
    const sets = Math.min(all, MOST_DRAWN);
    const shown = prompts.slice(0, sets * tokens * width);
    const trail = this.#trail.add(steps, shown);
    let words: TokenMap['words'] = null;
    if (wordsToo || clip.tokenEmbeddings.count * width <= QUICK_VOCABULARY) {
      const classes = this.data.classes.slice(0, sets);
      const file = { options, classes, shape: [sets, tokens, width], prompts: shown };
      const search = { top: 1, metric: 'cosine', skip: ['special'], memory: clip.memory } as const;
      const explained = await explainPrompts(clip.engine, file, tokenizer, clip.tokenEmbeddings, search);
      words = explained.prompts.map((prompt) =>
        prompt.tokens.map(({ start, nearest }, j) => ({
          began: textOf(explained.tokens[j]),
          nearest: textOf(nearest[0]),
          moved: start.distance,
        })),
      );
    }
    return { sets, more: all > sets, trail, words };
  }
}

/** As the page writes it in small drawings. */
function textOf(word: { readonly text: string; readonly kind: string } | undefined): string {
  if (!word) return '';
  if (word.kind === 'special') return word.text.includes('start') ? '[SOT]' : '[EOT]';
  return word.kind === 'fragment' ? `${word.text}-` : word.text;
}

/**
 * States of the tokens, drawn in the plane in which the first and the latest differ most. It turns as they move: in the plane of the first
 * alone, little of the motion would be seen, since it goes in directions in which they did not differ then.
 */
class Trail {
  readonly #states: { readonly steps: number; readonly rows: Float32Array }[] = [];
  #plane: Plane | undefined;

  constructor(private readonly width: number) {}

  add(steps: number, rows: Float32Array): Float32Array[] {
    const states = this.#states;
    // A tuning that goes on after its device was lost comes to the same states again.
    const again = states.findIndex((state) => state.steps >= steps);
    if (again >= 0) states.splice(again);
    states.push({ steps, rows });
    if (states.length > MOST_STATES) {
      const kept = states.filter((_, i) => i % 2 === 0 || i === states.length - 1);
      states.splice(0, states.length, ...kept);
    }
    const first = states[0]!.rows;
    const both = new Float32Array(2 * rows.length);
    both.set(first);
    both.set(rows, first.length);
    this.#plane = principalPlane(both, this.width, this.#plane);
    return states.map((state) => project(state.rows, this.#plane!));
  }
}
