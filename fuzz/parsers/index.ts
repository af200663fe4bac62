/** Every parser of files, in the order in which the report lists them. */
import type { FuzzedParser } from '../parser.js';
import { classes, segment, tuning } from './data.js';
import { jpeg } from './jpeg.js';
import { config, index } from './json.js';
import { png } from './png.js';
import { metrics, prompts, runRecord, trainingState } from './run.js';
import { safetensors } from './safetensors.js';
import { pickle, torch, zip } from './torch.js';
import { text, vocabulary } from './vocabulary.js';

export const PARSERS: readonly FuzzedParser[] = [
  ...[safetensors, zip, pickle, torch, index, config, vocabulary, text, png, jpeg],
  ...[classes, runRecord, metrics, prompts, trainingState, segment, tuning],
];
