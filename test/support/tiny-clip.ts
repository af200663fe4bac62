/** The golden CLIPs of test/fixtures and their expected outputs. */

import { readFile } from 'node:fs/promises';
import { bytesSource, type CanonicalClip, openCheckpoint } from '../../src/clip/checkpoint/index.js';
import { type ClipConfig, parseConfigJson, validateShapes } from '../../src/clip/config.js';

export const fixture = (path: string) => new URL(`../fixtures/${path}`, import.meta.url).pathname;

export async function tinyClip(
  name: 'clip-tiny' | 'clip-tiny-gelu',
): Promise<{ clip: CanonicalClip; config: ClipConfig }> {
  const config = parseConfigJson(await readFile(fixture(`${name}/config.json`), 'utf8'), 'config.json');
  const checkpoint = await openCheckpoint([
    bytesSource('model.safetensors', await readFile(fixture(`${name}/model.safetensors`))),
  ]);
  return { clip: validateShapes(checkpoint, config), config };
}

/** Tensors of a safetensors file by name. */
export async function tensorsOf(
  path: string,
): Promise<(name: string) => Promise<{ data: Float32Array; shape: readonly number[] }>> {
  const checkpoint = await openCheckpoint([bytesSource(path, await readFile(fixture(path)))]);
  return async (name) => ({
    data: Float32Array.from((await checkpoint.read(name)) as Float32Array),
    shape: checkpoint.shape(name),
  });
}

/** The largest |actual - expected|. NaN if any is. */
export function maxError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(error)) return Number.NaN;
    worst = Math.max(worst, error);
  }
  return worst;
}
