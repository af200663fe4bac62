/**
 * What the engine holds between tasks: a device, a model on it, and loaded prompts. Files and prompts stay on the host, so that a
 * device may be lost or changed at any time: the next one is loaded from them.
 */
import { InputError } from '../../src/errors.js';
import type { DeviceChoice } from '../../src/kernels/device-choice.js';
import { DeviceError, DeviceLostError, type OpenedDevice, openDevice } from '../../src/kernels/index.js';
import { type AnyPromptsFile, ClipModel, type ModelSource, type TrainingState } from '../../src/ptdpc/index.js';
import type { DeviceReport, FromEngine, ModelReport, Opened, PromptsReport } from '../protocol.js';
import { demoModel, demoPrompts } from './demo-files.js';
import { startKernelThread } from './kernel-threads.js';
import type { PreparedData } from './prepared-data.js';
import type { Steering } from './steering.js';

/** Bytes for activations beside the weights: a page has less to spare than a command. */
export const MEMORY = 2 ** 28;

/** A model with what the page says of it. */
export interface LoadedModel {
  readonly source: ModelSource;
  readonly report: ModelReport;
}

interface KeptPrompts {
  readonly label: string;
  readonly file: AnyPromptsFile;
}

export class Session {
  #choice: DeviceChoice = 'auto';
  #device: OpenedDevice | undefined;
  #model: LoadedModel | undefined;
  #builtIn: LoadedModel | undefined;
  #clip: ClipModel | undefined;
  readonly #prompts = new Map<string, KeptPrompts>();
  #promptsMade = 0;
  readonly #data = new Map<string, PreparedData>();
  /** Of every training that has finished an epoch, by its run's name. */
  readonly trainings = new Map<string, TrainingState>();
  /** Of every training that runs, by its run's name. */
  readonly steerings = new Map<string, Steering>();

  /** `tell` is called with what concerns no single task: a lost device, another device. */
  constructor(private readonly tell: (news: FromEngine) => void) {}

  /** Opens a device in place of the one before, which is kept if that fails. */
  async open(choice: DeviceChoice): Promise<Opened> {
    const [device] = await Promise.all([openDeviceHere(choice), this.#modelNow()]);
    this.#closeDevice();
    this.#choice = choice;
    this.#device = device;
    return this.#opened(device);
  }

  /** The device in use, opened if none is. */
  async device(): Promise<OpenedDevice> {
    if (!this.#device) await this.open(this.#choice);
    return this.#device!;
  }

  /**
   * Takes another model in place of the present one and puts it on the device; null: the one that the page brings along. Where that
   * fails, the present one stays.
   */
  async change(model: LoadedModel | null): Promise<Opened> {
    const before = await this.#modelNow();
    // One after the other: a device may not hold both.
    this.#closeModel();
    this.#model = model ?? this.#builtIn;
    try {
      await this.withClip(async (clip) => {
        await clip.visionTower();
        await clip.textTower();
      });
    } catch (error) {
      this.#closeModel();
      this.#model = before;
      throw error;
    }
    this.#data.clear();
    this.trainings.clear();
    return this.#opened(await this.device());
  }

  /** The loaded prompts, in the order in which they came. */
  prompts(): PromptsReport[] {
    return [...this.#prompts].map(([id, { label, file }]) => promptsReport(id, label, file));
  }

  /** The prompts of an id. */
  promptsOf(id: string): AnyPromptsFile {
    const kept = this.#prompts.get(id);
    if (!kept) throw new Error(`no prompts "${id}"`);
    return kept.file;
  }

  /** Keeps prompts, replacing those of the same id. */
  keepPrompts(label: string, file: AnyPromptsFile, id = `prompts-${++this.#promptsMade}`): PromptsReport {
    this.#prompts.set(id, { label, file });
    return promptsReport(id, label, file);
  }

  /** The labelled pictures of an id. Throws InputError if they were another model's. */
  dataOf(id: string): PreparedData {
    const data = this.#data.get(id);
    if (!data) throw new InputError('these pictures were looked at with another model: choose them again');
    return data;
  }

  keepData(id: string, data: PreparedData): void {
    this.#data.set(id, data);
  }

  /**
   * Works with the model on the device. If the device is lost, this is reported, it is reopened, and `work` is called once
   * more: it continues from what it has kept, or starts again.
   */
  async withClip<T>(work: (clip: ClipModel) => Promise<T>): Promise<T> {
    try {
      return await this.#attempt(work);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      this.tell({ notice: `${error.message}. It is opened again, and the work repeated.` });
      const { device } = await this.#reopen(error);
      this.tell({ device });
      return await this.#attempt(work);
    }
  }

  async #attempt<T>(work: (clip: ClipModel) => Promise<T>): Promise<T> {
    if (!this.#device) await this.open(this.#choice);
    this.#clip ??= new ClipModel(this.#device!, (await this.#modelNow()).source, { memory: MEMORY });
    try {
      return await work(this.#clip);
    } catch (error) {
      // After any fault, a device cannot be used any more.
      if (error instanceof DeviceError) this.#closeDevice();
      throw error;
    }
  }

  async #reopen(lost: DeviceLostError): Promise<Opened> {
    try {
      return await this.open(this.#choice);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.tell({ notice: `${lost.message}, and no other can be opened: ${error.message}. The CPU takes over.` });
      return await this.open('cpu');
    }
  }

  async #modelNow(): Promise<LoadedModel> {
    if (!this.#model) {
      const [model, prompts] = await Promise.all([demoModel(), demoPrompts()]);
      this.#builtIn = model;
      this.#model = model;
      for (const file of prompts) this.keepPrompts('demo', file);
    }
    return this.#model;
  }

  /** What is open, once a model is. */
  #opened(device: OpenedDevice): Opened {
    return { device: reportOf(device), model: this.#model!.report, prompts: this.prompts() };
  }

  #closeModel(): void {
    this.#clip?.[Symbol.dispose]();
    this.#clip = undefined;
  }

  #closeDevice(): void {
    this.#closeModel();
    this.#device?.[Symbol.dispose]();
    this.#device = undefined;
  }
}

function promptsReport(
  id: string,
  label: string,
  { classes, options, epochs, modelHash }: AnyPromptsFile,
): PromptsReport {
  return { id, label, classes, options, epochs, modelHash };
}

async function openDeviceHere(choice: DeviceChoice): Promise<OpenedDevice> {
  if (!globalThis.isSecureContext)
    throw new InputError('browsers give a page what this one needs over https or from localhost only');
  return openDevice(choice, { startWorker: startKernelThread });
}

function reportOf({ backend, reason }: OpenedDevice): DeviceReport {
  const { kind, description } = backend;
  const alone = kind === 'cpu' && !globalThis.crossOriginIsolated;
  const threads = alone ? '; more threads need a cross-origin isolated page' : '';
  return { kind: kind === 'cpu' ? 'cpu' : 'webgpu', description, reason: `${reason}${threads}` };
}
