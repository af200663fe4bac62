/** Lines of metrics.jsonl. */
import * as v from 'valibot';
import type { EpochMetrics, StepMetrics } from '../ptdpc/index.js';
import { finite, parseJsonAs, positive, share, whole } from '../ptdpc/parse-json.js';

const step: v.GenericSchema<unknown, StepMetrics> = v.object({
  type: v.literal('step'),
  epoch: whole,
  step: whole,
  loss: finite,
  lr: positive,
});

const epoch: v.GenericSchema<unknown, EpochMetrics> = v.object({
  type: v.literal('epoch'),
  epoch: whole,
  trainLoss: finite,
  trainAccuracy: share,
  // Null without validation images; a loss that is not finite is null in JSON.
  valLoss: v.nullable(finite),
  valAccuracy: v.nullable(share),
});

const either = v.union([step, epoch]);

/** Reads a line. Throws InputError beginning with `where` for anything else. */
export function parseMetrics(line: string, where: string): StepMetrics | EpochMetrics {
  return parseJsonAs(either, line, where, 'the metrics of a step or an epoch');
}

/** Reads the last line of finished epochs. Throws InputError beginning with `where` for anything else. */
export function parseEpochMetrics(line: string, where: string): EpochMetrics {
  return parseJsonAs(epoch, line, where, 'the metrics of an epoch in its last line');
}
