/** Every kernel on every device, in every variant, against its twin in float64: the suites of the families. */
import { allKernels, anyKernel, kernels } from '../../src/kernels/index.js';
import { attentionKernels, attentionVariants, describeOn, describeOnAll } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

const compiled = [...attentionKernels, anyKernel(kernels.layerNorm), anyKernel(kernels.layerNormGrad)];

/** The matrix product has a file of its own. */
const others = allKernels().filter(({ name }) => name !== 'matmul');

describeOnAll('kernel parity', (device) => paritySuite(device, others));

describeOn('cpu', 'WebAssembly, fixed-width SIMD', (device) => paritySuite(device, compiled), {
  poison: true,
  relaxed: false,
});

for (const attentionVariant of attentionVariants) {
  describeOn('webgpu', `attention ${attentionVariant}`, (device) => paritySuite(device, attentionKernels), {
    poison: true,
    attentionVariant,
  });
}
