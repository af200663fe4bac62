/**
 * What the page and the engine say to each other. The engine lives in a worker, so that the page never waits for it; what crosses is
 * plain data, pictures and files as the browser's own handles.
 *
 * A task has one entry in `Tasks`, one file in `engine/tasks/` and one line in `engine/tasks/index.ts`.
 */
import type { Emotion, Split } from '../src/demo/index.js';
import type { DeviceChoice } from '../src/kernels/device-choice.js';
import type { PromptOptions } from '../src/learners/prompts/index.js';
import type {
  ClassName,
  EpochMetrics,
  Evaluation,
  ForwardExplanation,
  ImageExplanation,
  PromptExplanation,
  PromptsChange,
  SettingName,
  TuningOptions,
  VocabularyWord,
} from '../src/ptdpc/index.js';
import type { LabTasks } from './protocol-lab.js';
import type { ModelTasks } from './protocol-model.js';

/** Every task: what it takes, what it gives, what it tells on the way. */
export interface Tasks extends LabTasks, ModelTasks {
  /** Opens a device, closing the one before it, and the model on it: the built-in one at the first time. */
  open: Task<{ choice: DeviceChoice }, Opened>;
  /** Draws scenes to look at. */
  scenes: Task<{ scenes: readonly SceneName[] }, ScenePixels[]>;
  /** Classifies pictures with loaded prompts, or zero-shot. */
  predict: Task<PredictRequest, PredictAnswer, Progress>;
  /** Every step from a picture to its probabilities: as it is, or as it would be. */
  explain: Task<ExplainRequest, ExplainAnswer, Progress>;
  /** The nearest words of learned tokens. */
  words: Task<{ prompts: string }, PromptExplanation, Progress>;
  /** Loads a prompts.safetensors. */
  importPrompts: Task<{ file: File }, PromptsReport>;
  /** The bytes of a prompts.safetensors, which the command line reads too. */
  exportPrompts: Task<{ prompts: string }, Uint8Array<ArrayBuffer>>;
  /** Looks at labelled pictures once and keeps their features for the tasks below. */
  prepare: Task<DataRequest, DataReport, Progress>;
  /** Trains prompts, or resumes if it was stopped. */
  tune: Task<TuneRequest, TuneAnswer, TuneTold>;
  /** Tells a tuning how far to go. Without effect once it has ended. */
  steer: Task<{ run: string; how: Steer }, null>;
  /** Evaluates loaded prompts on held-out pictures. */
  evaluate: Task<{ data: string; prompts: string }, HeldOut | null>;
}

export interface Task<Input, Output, Told = never> {
  readonly input: Input;
  readonly output: Output;
  readonly progress: Told;
}

export type TaskName = keyof Tasks;

/** Work done so far. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is being done, for people: a stage, not a figure. */
  readonly what: string;
  /** How it stands, for the eye. */
  readonly detail?: string;
}

/** The device in use. */
export interface DeviceReport {
  readonly kind: 'webgpu' | 'cpu';
  /** One line for people. */
  readonly description: string;
  /** Why this one, for people. */
  readonly reason: string;
}

/** The model in use. */
export interface ModelReport {
  readonly name: string;
  /** True for the demonstration's model, which knows drawn scenes only. */
  readonly builtIn: boolean;
  /** SHA-256 of its weights, in hexadecimal. */
  readonly hash: string;
  readonly imageSize: number;
}

/** What there is to work with. */
export interface Opened {
  readonly device: DeviceReport;
  readonly model: ModelReport;
  readonly prompts: readonly PromptsReport[];
}

/** Prompts that the engine has loaded. */
export interface PromptsReport {
  /** By it, tasks name them. */
  readonly id: string;
  /** Where they come from, for people. */
  readonly label: string;
  readonly classes: readonly ClassName[];
  /** Of any learner of prompts. */
  readonly options: PromptOptions;
  readonly epochs: number;
  /** SHA-256 of the weights that they were tuned with. */
  readonly modelHash: string;
}

/** A drawn scene: which one, not its pixels. */
export interface SceneName {
  readonly emotion: Emotion;
  readonly split: Split;
  readonly seed: number;
  /** Place within the split's scenes of this emotion. */
  readonly index: number;
}

/** A scene's picture. */
export interface ScenePixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4], as a canvas takes them. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A picture to be classified. */
export type Picture =
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'scene'; readonly scene: SceneName };

export interface PredictRequest {
  readonly pictures: readonly Picture[];
  /** Id of loaded prompts; null: zero-shot only. */
  readonly prompts: string | null;
  /** Class words, if there are no prompts to name them. */
  readonly classes: readonly string[];
}

export interface PredictAnswer {
  /** Class words, in the order of all that is listed by class. */
  readonly classes: readonly string[];
  /** In the order of the pictures. */
  readonly pictures: readonly PictureAnswer[];
}

/** The prediction for an image, or why it cannot be read. */
export type PictureAnswer = PictureRead | { readonly refused: string };

export interface PictureRead {
  /** Probabilities by class without tuning. */
  readonly zeroShot: readonly number[];
  /** By the prompts; null if there are none. */
  readonly tuned: ImageExplanation | null;
}

export interface ExplainRequest {
  /** Id of loaded prompts. */
  readonly prompts: string;
  /** A picture, or the feature of one that was explained before. */
  readonly image: Picture | Float32Array;
  /** What is to be otherwise than the prompts were tuned. */
  readonly change: WhatIf;
}

/** A mode or preset other than that of the tuning, and weights other than the picture's own. */
export interface WhatIf extends PromptsChange {
  /** All equal to their mean, or those of another picture, by its feature. Undefined: the picture's own. */
  readonly weights?: 'equal' | Float32Array | undefined;
  /** Single weights, in place of what they would be otherwise. */
  readonly set?: readonly WeightSet[];
}

export interface WeightSet {
  /** Place of the class, or 0 if all share a prompt. */
  readonly prompt: number;
  readonly token: number;
  readonly value: number;
}

/**
 * Of prompts with more classes than a drawing shows, the most probable: `places` says which. All that is listed by class has those alone, and so
 * have `prompts`, `cosines` and `weights` if each class has a prompt.
 */
export interface ExplainAnswer extends ForwardExplanation {
  /** Class words of `places`. */
  readonly classes: readonly string[];
  readonly places: readonly number[];
  /** Of all classes. */
  readonly classCount: number;
  /** As which the prompts were used. */
  readonly options: TuningOptions;
  /** What each learned token began as. */
  readonly tokens: readonly VocabularyWord[];
  /** Of the text tower. */
  readonly layers: number;
}

/** Pictures with labels: scenes that are drawn, or folders of the user's. */
export type DataRequest = SceneData | FolderData;

export interface SceneData {
  readonly kind: 'scenes';
  /** Scenes of each emotion to train on. */
  readonly perClass: number;
  readonly seed: number;
}

/** A data set of the user's, in any layout that the command line reads. */
export interface FolderData {
  readonly kind: 'folder';
  /** The folder's, for people. */
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly file: File }[];
  /** Which data set it is; undefined if its files show it. */
  readonly setting?: SettingName | undefined;
  /** Of the split, if the data set has none. */
  readonly seed: number;
}

/** What labelled pictures there are. */
export interface DataReport {
  /** By it, tasks name them. */
  readonly id: string;
  readonly name: string;
  readonly classes: readonly ClassName[];
  readonly counts: Readonly<Record<Split, number>>;
  /** `split as given by its files`, `split by seed 0`. */
  readonly origin: string;
  /** Warnings about the folder, one sentence each. */
  readonly notes: readonly string[];
  /** Why pictures were passed over, a line each. */
  readonly refused: readonly string[];
  /** SHA-256 of the weights whose features were kept. */
  readonly modelHash: string;
  /** Held-out pictures to watch a tuning by: the first few of each class. */
  readonly watched: readonly WatchedPicture[];
}

/** A picture with its class, as the place of that. */
export interface WatchedPicture {
  readonly picture: Picture;
  readonly label: number;
}

export interface TuneRequest {
  /** Names the run: requested again, it resumes after its last epoch. */
  readonly run: string;
  /** For people. */
  readonly label: string;
  readonly data: string;
  readonly options: TuningOptions;
  /** How far to go at first. */
  readonly how: Steer;
}

/** How far a tuning goes: to its end, no further, by one batch, or to the end of an epoch. */
export type Steer = 'play' | 'pause' | 'batch' | 'epoch';

/** News of a tuning: a step, the end of an epoch, or what there is to watch. */
export type TuneTold = Progress | EpochTold | StageTold | ZeroShotTold;

/** Told once, before the first step: how the same template does without tuning. */
export interface ZeroShotTold {
  readonly zeroShot: {
    /** On the validation pictures; null if there are none. */
    readonly accuracy: number | null;
    /** Predicted class of each watched picture. */
    readonly answers: readonly number[];
  };
}

/** Told before the first step, after every epoch, and wherever a tuning pauses. */
export interface StageTold {
  readonly stage: Stage;
}

/** A tuning after so many steps. */
export interface Stage {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** True if it goes no further until it is told to. */
  readonly paused: boolean;
  /** Loss of the last step; null before the first. */
  readonly loss: number | null;
  /** Predicted class of each watched picture. */
  readonly answers: readonly number[];
  readonly tokens: TokenMap;
}

/** Learned tokens in the plane in which the first and the present ones differ most. */
export interface TokenMap {
  /** Prompts shown: one a class, or a single one. */
  readonly sets: number;
  /** True if there are more. */
  readonly more: boolean;
  /** States from the first to the present one, each [sets, tokens, 2]. */
  readonly trail: readonly Float32Array[];
  /** What each token is near, [sets][tokens]; null where that was not looked for. */
  readonly words: readonly (readonly TokenWords[])[] | null;
}

export interface TokenWords {
  /** The word that it began as. */
  readonly began: string;
  /** The word that it is nearest to. */
  readonly nearest: string;
  /** Euclidean distance from where it began, the noise of the start included. */
  readonly moved: number;
}

export interface EpochTold {
  readonly epoch: EpochMetrics;
  /** Of the validation pictures, confusion[actual][predicted]; null if there are none. */
  readonly confusion: readonly (readonly number[])[] | null;
}

export interface TuneAnswer {
  /** False if it was stopped. */
  readonly finished: boolean;
  readonly prompts: PromptsReport;
  readonly heldOut: HeldOut | null;
}

/** Metrics of prompts on pictures that were not trained on. */
export interface HeldOut {
  readonly split: Split;
  /** The same template without tuning. */
  readonly zeroShot: Scores;
  readonly tuned: Scores;
}

export type Scores = Pick<Evaluation, 'count' | 'accuracy' | 'loss' | 'macroF1' | 'confusion'>;

/** To the engine. */
export type ToEngine = { [K in TaskName]: { id: number; task: K; input: Tasks[K]['input'] } }[TaskName] | Cancel;

/** Ends a task, whether it waits or runs. */
export interface Cancel {
  readonly cancel: number;
}

/** From the engine: news of a task, or of the engine itself. */
export type FromEngine =
  | { id: number; progress: Progressed }
  | { id: number; output: Tasks[TaskName]['output'] }
  | { id: number; failure: Failure }
  | { notice: string }
  | { device: DeviceReport };

export type Progressed = Tasks[TaskName]['progress'];

/** `input`: what was asked for cannot be done, and the message says why; `defect`: the program's fault. */
export interface Failure {
  readonly kind: 'input' | 'cancelled' | 'defect';
  /** One line. */
  readonly message: string;
}
