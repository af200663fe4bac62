/** jax-js: node jax_matmul.mjs wasm|webgpu m k n [seconds] */
import { main, openGpu, random, versionOf } from './matmul.mjs';

await main(`jax-js ${versionOf('@jax-js/jax')}`, async (backend, { m, k, n }) => {
  if (backend === 'webgpu') openGpu();
  const { defaultDevice, init, numpy } = await import('@jax-js/jax');
  await init(backend);
  defaultDevice(backend);
  const a = numpy.array(random(m * k), { shape: [m, k] });
  const b = numpy.array(random(k * n), { shape: [k, n] });
  return async () => {
    const out = numpy.matmul(a.ref, b.ref);
    await out.blockUntilReady();
    out.dispose();
  };
});
