/** The demonstration's model and its drawn scenes, on the disk. */
import { realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJpeg, encodePng } from '../clip/image/index.js';
import { demoScenes, type Split } from '../demo/index.js';
import { span } from '../trace.js';
import { loadImageCodecs } from './image-codecs.js';
import { rememberFolder } from './known-folders.js';
import { makeFolder } from './make-folder.js';
import { packageRoot } from './package.js';

const JPEG_QUALITY = 90;

/** The small CLIP that comes with this package. */
export function demoModelDirectory(): string {
  return join(packageRoot(), 'assets', 'demo-model');
}

/** Whether a model directory is that one. */
export async function isDemoModel(directory: string): Promise<boolean> {
  const [given, own] = await Promise.all(
    [directory, demoModelDirectory()].map((path) => realpath(path).catch(() => null)),
  );
  return given === own && own !== null;
}

/**
 * Draws a split, `perClass` scenes of each emotion, and writes it as JPEG and PNG in turn to `<data>/<split>/<emotion>/`. Returns the
 * number of scenes.
 */
export async function writeScenes(
  data: string,
  split: Split,
  perClass: number,
  seed: number,
  onScene: () => void,
): Promise<number> {
  loadImageCodecs();
  let written = 0;
  for (const { emotion, fileName, pixels } of demoScenes({ perClass, split, seed })) {
    using _ = span('write', { scene: fileName });
    const { data: rgb, width, height } = pixels;
    const jpeg = fileName.endsWith('.jpg');
    const bytes = jpeg ? await encodeJpeg(rgb, width, height, JPEG_QUALITY) : encodePng(rgb, width, height);
    await makeFolder(join(data, split, emotion));
    await writeFile(join(data, split, emotion, fileName), bytes);
    onScene();
    written++;
  }
  await rememberFolder(data);
  return written;
}
