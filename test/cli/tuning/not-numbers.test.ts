/** NaN and infinities, from damaged weights and from learning rates: named, never trained, cached or evaluated with. */

import { cp, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { measureCache } from '../../../src/node/feature-cache.js';
import { closeGpu, nodeAdapter } from '../../../src/node/gpu.js';
import { expectRefused, ptdpc, scratchNames, scratchPath, setUpProgram } from '../program.js';
import { expectDone, readMetrics, setUpModelAndImages, trainArgs } from './support.js';

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;
closeGpu();

setUpProgram();
setUpModelAndImages();

/** A copy of the model in which one number of a tensor is NaN. */
async function plantNaN(directory: string, tensor: string): Promise<void> {
  await cp(scratchPath('model'), scratchPath(directory), { recursive: true });
  const path = scratchPath(`${directory}/model.safetensors`);
  const bytes = await readFile(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, { data_offsets: [number] }>;
  bytes.writeFloatLE(Number.NaN, 8 + headerBytes + header[tensor]!.data_offsets[0]);
  await writeFile(path, bytes);
}

test.each(['cpu', ...(hasAdapter ? ['webgpu'] : [])])(
  'a loss that is lost in the second epoch: the prompts of the first are kept and can be evaluated (%s)',
  async (device) => {
    const options = ['--epochs', '3', '--batch-size', '8', '--step-size', '1', '--gamma', '1e300'];
    const { code, stdout, stderr } = await ptdpc(trainArgs(device, ...options, '--device', device));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^ptdpc: the (?:loss|logits) became .* in epoch 2 of 3, at step [23]: try a smaller --lr than 0\.1; \w+ keeps the prompts of epoch 1; another --lr needs another --out$/,
    );
    expect((await readMetrics(device)).epochs).toHaveLength(1);
    const evaluated = await expectDone(['eval', '--run', device, '--device', device]);
    expect(evaluated.stdout).toMatch(/^test: accuracy \d+\.\d % of 9 images, loss \d/m);
  },
);

test('a NaN in the image tower: named with the first image, nothing is cached', async () => {
  await plantNaN('blind', 'vision_model.post_layernorm.weight');
  const message = /data\/\S+\.png: its features are not finite numbers, so the model's weights may be damaged/;
  await expectRefused(
    ['embed', 'data', '--model', 'blind', '--out', 'blind.safetensors', '--device', 'cpu', '--cache', 'blind-cache'],
    message,
  );
  await expectRefused(trainArgs('never', '--model', 'blind', '--cache', 'blind-cache'), message);
  const left = await scratchNames();
  for (const name of ['blind.safetensors', 'never']) expect(left).not.toContain(name);
  expect((await measureCache(scratchPath('blind-cache'))).segments).toBe(0);
});

test('a NaN in the text tower: the learning rate is not blamed', async () => {
  await plantNaN('dumb', 'text_model.final_layer_norm.weight');
  await expectRefused(
    ['zeroshot', '--model', 'dumb', '--data', 'data', '--device', 'cpu'],
    /^ptdpc: the logits are NaN or infinite: .* \(ptdpc verify checks a model\)$/,
  );
  const { code, stderr } = await ptdpc(trainArgs('never', '--model', 'dumb'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/\nptdpc: the loss is NaN before the first update: features or weights are damaged .*\n$/);
});

test('--check-finite names the kernel that wrote the first NaN, and what it read', async () => {
  await plantNaN('checked', 'vision_model.post_layernorm.weight');
  await expectRefused(
    [
      'embed',
      'data',
      '--model',
      'checked',
      '--out',
      'checked.safetensors',
      '--device',
      'cpu',
      '--no-cache',
      '--check-finite',
    ],
    /ptdpc: layerNorm \(\w+\) wrote \d+ of \d+ numbers of out that are not finite, the first at 0; x in \[.*\], weight in \[.*\] and 1 not finite/,
  );
});
