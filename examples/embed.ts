/**
 * Pictures and texts in one space: embeds both and compares them.
 *
 *     npm run example -- embed
 */
import { ClipModel, similarities } from 'ptdpc';
import { renderScene } from 'ptdpc/demo';
import { demoModelDirectory, openDevice, openModelDirectory } from 'ptdpc/node';

// `using` frees what a device holds at the end of the block, in reverse order.
using device = await openDevice('auto');
await using directory = await openModelDirectory(demoModelDirectory());
using clip = new ClipModel(device, directory);

// A small CLIP that was trained on captions of drawn scenes; a downloaded model directory works the same.
const texts = ['a bright day with balloons', 'a dark night with lightning'];
const pictures = (['amusement', 'fear'] as const).map((emotion) => ({
  ...renderScene(emotion, 1, 96, 72),
  mode: 'RGB' as const,
}));

// [2, width] each, rows of length 1: their products are cosines.
const imageFeatures = await clip.embedImages(pictures);
const textFeatures = await clip.embedTexts(texts);
const cosines = similarities(imageFeatures, textFeatures, clip.width);

console.log(`features of ${clip.width} numbers, on ${device.backend.description}`);
for (const [i, emotion] of ['amusement', 'fear'].entries()) {
  const row = texts.map((text, j) => `${cosines[i * texts.length + j]!.toFixed(3)} "${text}"`);
  console.log(`a scene of ${emotion}: ${row.join(', ')}`);
}
