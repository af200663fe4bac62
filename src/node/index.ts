/**
 * `ptdpc/node`: what the library needs of Node. Devices (Dawn's WebGPU, the CPU on all cores), model directories, image files and data
 * sets, runs, reports. What is computed with them is in `ptdpc`.
 *
 * @module ptdpc/node
 */
export type {} from '../platform-types.js';
export type { DatasetCheck, DatasetOptions, LeftOut, LeftOutReason } from '../ptdpc/datasets/index.js';
export { LEFT_OUT_REASONS } from '../ptdpc/datasets/index.js';
export { type ModelPlace, openRun, type RunFiles } from './classifier.js';
export { type ComparedGroup, compareRuns, type RunResult, readResults } from './compare-runs.js';
export { type Conversion, type ConversionOptions, convertCheckpoint } from './convert-checkpoint.js';
export { checkDataset, type DuplicateImage, duplicateImages, openDataset } from './datasets.js';
export { demoModelDirectory, writeScenes } from './demo-scenes.js';
export { type AutoChoice, autoChoice, type DeviceOptions, type OpenedDevice, openDevice } from './device.js';
export { diskFolder } from './disk-folder.js';
export {
  type EmbeddedFiles,
  type EmbeddedSplit,
  type EmbedFilesOptions,
  embedFiles,
  embedSplit,
} from './encode-splits.js';
export {
  type EvaluatedRun,
  type EvaluationOptions,
  type EvaluationRequest,
  evaluateRun,
  evaluateZeroShot,
  type ZeroShotRequest,
  type ZeroShotResult,
} from './evaluate-run.js';
export { type Events, type ProgressBar, SILENT } from './events.js';
export { exportPrompts } from './export-prompts.js';
export { type FitRequest, type FittedRun, fitFeatures } from './fit-features.js';
export type { GpuOptions } from './gpu.js';
export { loadImageCodecs } from './image-codecs.js';
export { listImages, readImageFile, type SkippedImage } from './image-files.js';
export { type ImportRequest, importPrompts } from './import-prompts.js';
export { type ModelDirectory, openModelDirectory } from './model-directory.js';
export { defaultCacheDirectory } from './package.js';
export type { ConfidentPrediction, MostConfident } from './prediction-table.js';
export type { ResultFile, WrittenResult } from './results.js';
export { type RunImage, readRunImages, type SeenImages } from './run-images.js';
export {
  type CommonRecord,
  type FeaturesRecord,
  type ImagesRecord,
  type ProbeRecord,
  type PromptsRecord,
  type RunRecord,
  readRunRecord,
  type SplitPath,
  type TrainedOn,
  type TrainingRecord,
  type ZeroShotRecord,
} from './run-record.js';
export { type TuneImagesRequest, tuneImages } from './tune-images.js';
export { type TunedRun, type TuneRequest as TuneFolderRequest, tunePrompts } from './tune-prompts.js';
export {
  type ExplainedImage,
  explainRun,
  type FileNotes,
  type FilePrediction,
  predictFiles,
  type UseRequest,
} from './use-run.js';
export {
  type PageOptions,
  type PictureOptions,
  type RunReportOptions,
  writeComparison,
  writeExperimentReport,
  writeRunReport,
} from './write-report.js';
