/** Every parser of files, in the order in which the report lists them. */
import type { FuzzedParser } from '../parser.js';
import { segment, tuning } from './caches.js';
import { abstract, classes, emoset, jsonManifest, manifest, roi } from './datasets.js';
import { encoder } from './encoders.js';
import { plan, results, taskResult } from './experiment.js';
import { hub } from './hub.js';
import { cutJpeg, jpeg } from './jpeg.js';
import { config, index, preprocessing } from './json.js';
import { bmp, cutBmp, cutGif, gif, webp } from './other-images.js';
import { cutPng, png } from './png.js';
import { evaluated, predictions } from './report.js';
import { metrics, prompts, runJson, trainingState } from './run.js';
import { safetensors } from './safetensors.js';
import { study, studyPlan, studyTask } from './study.js';
import { studyResults } from './study-results.js';
import { pickle, torch, zip } from './torch.js';
import { text, vocabulary } from './vocabulary.js';

export const PARSERS: readonly FuzzedParser[] = [
  ...[
    safetensors,
    zip,
    pickle,
    torch,
    encoder,
    index,
    config,
    preprocessing,
    vocabulary,
    text,
    png,
    jpeg,
    webp,
    gif,
    bmp,
  ],
  ...[cutPng, cutJpeg, cutGif, cutBmp],
  ...[classes, manifest, jsonManifest, roi, emoset, abstract],
  ...[runJson, metrics, prompts, trainingState, predictions, evaluated, plan, taskResult, results],
  ...[study, studyPlan, studyTask, studyResults],
  ...[segment, tuning, hub],
];
