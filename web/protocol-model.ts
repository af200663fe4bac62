/** The part of the protocol that concerns models of the user's own. */
import type { ClipConfig } from '../src/clip/config.js';
import type { Opened, Progress, Task } from './protocol.js';

export interface ModelTasks {
  /** Reads what a model folder says of its model, and whether the device can hold it. Loads nothing. */
  'inspect-model': Task<ModelFolder, ModelPlan>;
  /** Loads a model in place of the present one, which stays if that fails. Progress is in bytes. */
  'open-model': Task<ModelFolder, Opened, Progress>;
  /** Goes back to the model that the page brings along. */
  'built-in-model': Task<Readonly<Record<string, never>>, Opened>;
}

/** A folder that the user chose. Files are read if they lie, piece by piece. */
export interface ModelFolder {
  readonly name: string;
  /** With their paths within the folder. */
  readonly files: readonly { readonly path: string; readonly file: File }[];
}

/** What loading a model would take. */
export interface ModelPlan {
  readonly name: string;
  readonly config: ClipConfig;
  /** How it wants its pictures, for people. */
  readonly pictures: string;
  /** Files with weights. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** How its largest tensor is stored: F16, F32, ... */
  readonly stored: string;
  /** Bytes of the weights on the device, at most. */
  readonly weights: number;
  /** Bytes for activations, at most. */
  readonly activations: number;
  /** The largest buffer among the weights. */
  readonly largest: { readonly name: string; readonly bytes: number };
  readonly room: DeviceRoom;
  /** Why it cannot be loaded on this device, in one line; null if nothing is in the way. */
  readonly refused: string | null;
}

/** What a device can hold, as far as a page can know. */
export interface DeviceRoom {
  readonly device: string;
  /** The largest buffer in bytes, and the limit that says so; undefined if there is none. */
  readonly buffer: Bound | undefined;
  /** All buffers together, likewise. */
  readonly total: Bound | undefined;
}

/** A number of bytes, and where it comes from. */
export interface Bound {
  readonly bytes: number;
  readonly source: string;
}
