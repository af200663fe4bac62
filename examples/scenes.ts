/** Labelled pictures for the examples: scenes drawn by the package. With `ptdpc/node`, `openDataset` and `embedSplit` do this for files. */
import type { ClipModel, DecodedImage, LabelledFeatures } from 'ptdpc';
import { demoScenes, EMOTIONS, type Split } from 'ptdpc/demo';

/** The features of a split, `perClass` scenes of each of the eight emotions. Labels are places in EMOTIONS. */
export async function embedScenes(clip: ClipModel, split: Split, perClass: number): Promise<LabelledFeatures> {
  const labels: number[] = [];
  // A generator: pictures are drawn when the model asks for them.
  function* pictures(): Generator<DecodedImage> {
    for (const { emotion, pixels } of demoScenes({ split, perClass })) {
      labels.push(EMOTIONS.indexOf(emotion));
      yield { ...pixels, mode: 'RGB' };
    }
  }
  const features = await clip.embedImages(pictures());
  return { features, labels: Int32Array.from(labels) };
}
