import { expect, it } from 'vitest';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { nearestBefore } from '../../src/ptdpc/near-duplicates.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';

const WIDTH = 12;

describeOnAll('the most similar image of the splits before', (device) => {
  const groups = [7, 5, 9].map((count, i) =>
    normalizedFeatures(Float32Array.from(randomReals(i)(count * WIDTH)), WIDTH),
  );
  const cosine = (a: [number, number], b: [number, number]) => {
    const [x, y] = [a, b].map(([group, image]) => groups[group]!.subarray(image * WIDTH, (image + 1) * WIDTH));
    return x!.reduce((sum, value, d) => sum + value * y![d]!, 0);
  };

  it('is what comparing every pair finds, in blocks of any size, and none of a split itself', async () => {
    for (const memory of [2 ** 20, 1]) {
      let done = 0;
      const found = await nearestBefore(new Engine(device()), groups, WIDTH, {
        ...{ least: 0.1, memory },
        // As if the file were the same.
        isSame: (a, b) => (a.image + b.image) % 4 === 0,
        onImages: (images) => {
          done += images;
        },
      });
      expect(done).toBe(21);
      const expected = [1, 2].flatMap((group) =>
        Array.from({ length: [7, 5, 9][group]! }, (_, image) => {
          const others = groups
            .slice(0, group)
            .flatMap((own, before) =>
              Array.from({ length: own.length / WIDTH }, (_, other) => ({ group: before, image: other })),
            );
          const allowed = others.filter((other) => (image + other.image) % 4 !== 0);
          const similarity = (other: { group: number; image: number }) =>
            cosine([group, image], [other.group, other.image]);
          const nearest = allowed.reduce((best, other) => (similarity(other) > similarity(best) ? other : best));
          return { group, image, nearest, similarity: similarity(nearest) };
        }),
      );
      const kept = expected.filter(({ similarity }) => similarity >= 0.1).sort((a, b) => b.similarity - a.similarity);
      expect(found.map(({ similarity: _, ...pair }) => pair)).toEqual(kept.map(({ similarity: _, ...pair }) => pair));
      for (const [i, { similarity }] of found.entries()) expect(similarity).toBeCloseTo(kept[i]!.similarity, 5);
    }
  });

  it('is none for the first split, for empty ones, and below the threshold', async () => {
    const search = (some: readonly Float32Array[], least: number) =>
      nearestBefore(new Engine(device()), some, WIDTH, { least, memory: 2 ** 20 });
    expect(await search(groups, 1)).toEqual([]);
    expect(await search([groups[0]!, new Float32Array(0)], -1)).toEqual([]);
    expect(await search([new Float32Array(0), groups[0]!], -1)).toEqual([]);
  });
});
