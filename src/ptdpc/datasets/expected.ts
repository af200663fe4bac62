/** Compares a copy of a data set with what was published. Copies differ (images were withdrawn), which is reported, not refused. */
import type { Dataset } from './dataset.js';
import { SPLITS } from './dataset.js';
import { namedSetting } from './settings.js';

/** Each difference in one line; none for `folders` and `manifest`. */
export function countWarnings({ setting, splits, origin }: Pick<Dataset, 'setting' | 'splits' | 'origin'>): string[] {
  const named = namedSetting(setting);
  if (!named) return [];
  const { total, copies = [], splits: published = {} } = named.expected;
  const found = SPLITS.reduce((sum, split) => sum + (splits[split]?.length ?? 0), 0);
  const warnings: string[] = [];
  if (found !== total) {
    const known = copies.includes(found) ? ' (a copy that is known to be passed on)' : '';
    warnings.push(`${setting}: ${number(total)} images are published, found ${number(found)}${known}`);
  }
  if (origin.kind !== 'published' && origin.kind !== 'given') return warnings;
  for (const split of SPLITS) {
    const expected = published[split];
    const count = splits[split]?.length ?? 0;
    if (expected !== undefined && count !== expected)
      warnings.push(`${setting}: ${number(expected)} ${split} images are published, found ${number(count)}`);
  }
  return warnings;
}

const number = (value: number): string => value.toLocaleString('en-US');
