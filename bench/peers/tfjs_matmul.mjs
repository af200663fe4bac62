/** TensorFlow.js: node tfjs_matmul.mjs wasm|webgpu m k n [seconds] */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { main, openGpu, random, versionOf } from './matmul.mjs';

await main(`tfjs ${versionOf('@tensorflow/tfjs-core')}`, async (backend, { m, k, n }) => {
  if (backend === 'webgpu') await useWebGpu();
  else await useWasm();
  const a = tf.tensor2d(random(m * k), [m, k]);
  const weight = tf.tensor2d(random(k * n), [k, n]);
  return async () => {
    const out = tf.matMul(a, weight);
    const corner = tf.slice(out, [0, 0], [1, 1]);
    await corner.data();
    tf.dispose([out, corner]);
  };
});

async function useWebGpu() {
  openGpu();
  await import('@tensorflow/tfjs-backend-webgpu');
  await tf.setBackend('webgpu');
  await tf.ready();
}

async function useWasm() {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  // Its loader fetches the binary, which Node's fetch refuses for files.
  const fetchUrl = globalThis.fetch;
  globalThis.fetch = async (url, ...rest) =>
    String(url).endsWith('.wasm')
      ? new Response(readFileSync(String(url).replace('file://', '')), {
          headers: { 'content-type': 'application/wasm' },
        })
      : fetchUrl(url, ...rest);
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${folder}/dist/`);
  await tf.setBackend('wasm');
  await tf.ready();
}
