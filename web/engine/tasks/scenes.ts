import type { ScenePixels } from '../../protocol.js';
import { drawScene } from '../pictures.js';
import { letMessagesIn, type Work } from './task.js';

export const scenes: Work<'scenes'> = async ({ scenes }, { signal }) => {
  const drawn: ScenePixels[] = [];
  for (const scene of scenes) {
    await letMessagesIn(signal);
    const { width, height, data } = drawScene(scene);
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let pixel = 0; pixel < width * height; pixel++) rgba.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    drawn.push({ width, height, rgba });
  }
  return drawn;
};
