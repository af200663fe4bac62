/** Every kernel on every device, in every variant, against its twin in float64: the suites of the families. */
import { allKernels, alwaysUse, anyKernel, kernels } from '../../src/kernels/index.js';
import { attentionKernels, describeOn, describeOnAll, kernelsWithChoice, relaxedBuilds } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

const compiled = [
  ...attentionKernels,
  anyKernel(kernels.layerNorm),
  anyKernel(kernels.layerNormGrad),
  anyKernel(kernels.convolution),
  anyKernel(kernels.maxPool),
  anyKernel(kernels.averagePool),
];

/** The matrix product has a file of its own. */
const others = allKernels().filter(({ name }) => name !== 'matmul');

describeOnAll('kernel parity', (device) => paritySuite(device, others));

for (const build of ['plain', ...relaxedBuilds] as const) {
  describeOn('cpu', `WebAssembly, ${build}`, (device) => paritySuite(device, compiled), { poison: true, build });
}

/** Kernels that have a variant of one name share a device. */
const withChoice = kernelsWithChoice.filter((kernel) => others.includes(kernel));
for (const variant of new Set(withChoice.flatMap(({ variants }) => variants.map(({ name }) => name)))) {
  const own = withChoice.filter(({ variants }) => variants.some(({ name }) => name === variant));
  describeOn('webgpu', `variant ${variant}`, (device) => paritySuite(device, own), {
    poison: true,
    tuning: alwaysUse(variant, ...own),
  });
}
