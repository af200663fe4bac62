/** Every kernel on every device, in every variant, against its twin in float64: the laboratory's suites. */
import { attentionVariants, type KernelName } from '../../src/kernels/index.js';
import { attentionKernels } from '../../src/kernels/webgpu/attention.js';
import { labKernels } from '../../src/lab/index.js';
import { describeOn, describeOnAll } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

const compiled = [...attentionKernels, 'layerNorm', 'layerNormGrad'] as const;

/** The matrix product has a file of its own. */
const kernels = (Object.keys(labKernels) as KernelName[]).filter((kernel) => kernel !== 'matmul');

describeOnAll('kernel parity', (device) => paritySuite(device, kernels));

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
