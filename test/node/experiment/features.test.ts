/** Several processes encode a data set once: whoever needs images that nobody has encoded yet has the claim on it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WorkContext } from '../../../src/node/experiment/context.js';
import { ExperimentFeatures } from '../../../src/node/experiment/features.js';
import { clipEncoder } from '../../../src/node/image-encoder.js';
import { openModelDirectory } from '../../../src/node/model-directory.js';
import { Engine } from '../../../src/tensor/index.js';
import { openTestDevice } from '../../support/devices.js';
import { scratchFolder } from '../scratch.js';

const FIXTURES = new URL('../../fixtures/', import.meta.url).pathname;
const scratch = scratchFolder();
const CLASSES = [{ folder: 'awe', word: 'awe' }];

test('that a part of a data set is encoded does not let others at the rest without the claim', async () => {
  const backend = await openTestDevice('cpu');
  await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
  const claimed: string[] = [];
  const process = () => {
    const place = {
      folder: { claims: scratch('claims') },
      wantsPooled: false,
      claims: {
        claim: (name: string) => {
          claimed.push(name);
          return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
        },
      },
      ...{ engine: new Engine(backend), model, memory: 2 ** 28, cacheDirectory: scratch('cache') },
      encoders: new Map([['clip-joint', clipEncoder(model, 'joint')]]),
    };
    return new ExperimentFeatures(place as unknown as WorkContext);
  };
  await mkdir(scratch('claims'));
  const images = ['00_640x480_RGB.png', '01_480x640_RGB.png', '02_224x224_RGB.png'].map((name) => ({
    path: join(FIXTURES, 'preprocess', name),
    label: 0,
  }));
  const [held, train] = [images.slice(0, 1), images.slice(1)];
  // A zero-shot task needs the test images only, the next task all of them.
  await process().raw('clip-joint', FIXTURES, [held], CLASSES);
  await process().raw('clip-joint', FIXTURES, [train, held], CLASSES);
  expect(claimed).toHaveLength(2);
  expect(new Set(claimed).size).toBe(1);
  // Who comes later finds them, in whatever order the seed of a split has them.
  await process().raw('clip-joint', FIXTURES, [held, [...train].reverse()], CLASSES);
  await process().raw('clip-joint', FIXTURES, [held], CLASSES);
  expect(claimed).toHaveLength(2);
  backend.dispose();
});
