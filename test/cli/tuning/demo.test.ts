/** `demo`: the whole job on drawn scenes, with the model that comes with the program. */
import { expect, test } from 'vitest';
import { expectRefused, ptdpcJson, setUpProgram } from '../program.js';
import { names, readMetrics, readRunFile, readRunJson } from './support.js';

setUpProgram();

interface Part {
  count: number;
  accuracy: number;
  classes: string[];
  confusion: number[][];
}

interface DemoJson {
  seed: number;
  folder: string;
  zeroShot: Part;
  tuned: Part;
}

test('draws, classifies, tunes and classifies again, the same for the same seed', async () => {
  const demo = (out: string) =>
    ptdpcJson<DemoJson>([
      'demo',
      '--per-class',
      '4',
      ...['--epochs', '1', '--init-noise', '0.3'],
      '--seed',
      '3',
      '--device',
      'cpu',
      '--out',
      out,
    ]);
  const first = await demo('demo');
  expect([first.seed, first.folder]).toEqual([3, 'demo']);
  expect(await names('demo')).toEqual(['cache', 'data', 'run']);
  for (const { count, classes, confusion } of [first.zeroShot, first.tuned]) {
    expect(classes).toHaveLength(8);
    expect(confusion.flat().reduce((a, b) => a + b)).toBe(count);
  }
  expect(await names('demo/data/train/awe')).toEqual(['000.jpg', '001.png', '002.jpg', '003.png']);
  expect((await readMetrics('demo/run')).epochs).toHaveLength(1);
  expect(await readRunJson('demo/run')).toMatchObject({ options: { initNoise: 0.3 } });
  expect(await names('demo/run')).toEqual(expect.arrayContaining(['results', 'run.json']));

  const second = await demo('demo-2');
  expect({ ...second, folder: '' }).toEqual({ ...first, folder: '' });
  for (const name of ['metrics.jsonl', 'prompts.safetensors']) {
    expect((await readRunFile('demo-2/run', name)).equals(await readRunFile('demo/run', name)), name).toBe(true);
  }
  // One level too high.
  await expectRefused(
    ['predict', '--run', 'demo', 'x.png'],
    /^ptdpc: demo\/run\.json: not found; did you mean demo\/run\?$/,
  );
  await expectRefused(
    ['data', 'demo'],
    /^ptdpc: demo: no class folders with images; expected .*; did you mean demo\/data\?$/,
  );
  await expectRefused(['demo', '--out', 'demo'], /demo: the folder is not empty/);
});
