/** What the benchmarks of whole commands work on: a model directory of ViT-B/32's size and photographs, made once in `.cache/`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/node/package.js';
import type { ComparedEncoder } from '../src/ptdpc/experiment/paper-tables.js';

const FOLDER = join(packageRoot(), '.cache', 'bench');
const PHOTO = join(packageRoot(), 'test', 'fixtures', 'preprocess', 'j5_640x480_RGB.jpg');

/** A model directory with random weights: 303 MB in f16, 605 MB in f32. */
export function realSizeModel(dtype: 'f16' | 'f32'): string {
  const path = join(FOLDER, `vit-b32-${dtype}`);
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true });
    runPtdpc(['random-model', '--arch', 'ViT-B/32', '--dtype', dtype, '--out', path]);
  }
  return path;
}

/** The weights file of an encoder of Table 4 beside CLIP's, of real size and with random weights: up to 480 MB. */
export function randomEncoder(name: ComparedEncoder): string {
  const path = join(FOLDER, name.toLowerCase());
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true });
    runPtdpc(['random-model', '--arch', name, '--out', path]);
  }
  return join(path, 'model.safetensors');
}

/** A folder with so many JPEG files of 640x480 (111 KiB) in each of the given folders below it. */
export function photographs(name: string, folders: readonly string[], each: number): string {
  const root = join(FOLDER, name);
  for (const folder of folders) {
    mkdirSync(join(root, folder), { recursive: true });
    for (let i = 0; i < each; i++) copyFileSync(PHOTO, join(root, folder, `${String(i).padStart(4, '0')}.jpg`));
  }
  return root;
}

export function benchFile(name: string): string {
  mkdirSync(FOLDER, { recursive: true });
  return join(FOLDER, name);
}

/** Runs the built command line; returns the seconds that it took from start to end. Throws an Error where it fails. */
export function runPtdpc(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot(), 'dist', 'cli', 'main.js'), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ptdpc ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
  return (performance.now() - start) / 1000;
}
