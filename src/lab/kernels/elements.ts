/** Elementwise kernels, and cutting pictures into patches. */
import { labKernel } from './lab-kernel.js';
import { rowShapes } from './rows.js';

const lengths = rowShapes.map(({ rows, columns }) => ({ length: rows * columns }));

const unit = 'element';
const units = ({ length }: { length: number }) => length;

/** Numbers in [-scale, scale], none of them special. */
function ramp(length: number, scale: number): number[] {
  return Array.from({ length }, (_, i) => scale * (((i * 3) % 11) / 5 - 1));
}

export const affine = labKernel('affine', {
  equation: 'out = scale * x + shift + addend',
  extents: { length: 884_736 },
  options: { scale: 0.5, shift: -0.25, addend: 0 },
  unit,
  units,
  args: (d, { length, scale, shift, addend }) => ({
    length,
    scale,
    shift,
    x: d.real(length),
    addend: addend ? d.real(length) : undefined,
    out: d.output(length),
  }),
  suite: lengths.flatMap((size) => [size, { ...size, addend: 1 }]),
});

export const sgd = labKernel('sgd', {
  equation: 'velocity = momentum * velocity + grad; parameter -= learningRate * velocity',
  extents: { length: 32_768 },
  options: { learningRate: 0.1, momentum: 0.9 },
  unit,
  units,
  args: (d, { length, learningRate, momentum }) => ({
    length,
    learningRate,
    momentum,
    parameter: d.inPlace(ramp(length, 1)),
    grad: d.real(length),
    velocity: d.inPlace(ramp(length, 0.2)),
  }),
  suite: lengths,
});

export const adamW = labKernel('adamW', {
  equation: 'AdamW: decoupled weight decay, moments with bias correction, parameter updated in place',
  extents: { length: 32_768 },
  options: { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 1 },
  unit,
  units,
  args: (d, { length, ...options }) => ({
    length,
    ...options,
    parameter: d.inPlace(ramp(length, 1)),
    grad: d.real(length),
    firstMoment: d.inPlace(ramp(length, 0.2)),
    secondMoment: d.inPlace(ramp(length, 0.1).map(Math.abs)),
  }),
  suite: lengths.flatMap((size) => [1, 7].map((step) => ({ ...size, step }))),
});

export const patchRows = labKernel('patchRows', {
  equation:
    'pictures [batch, 3, size, size] to rows [batch * (size / patch)^2, 3 * patch * patch], (channel, y, x) within a row',
  extents: { batch: 32, size: 224, patch: 32 },
  unit,
  units: ({ batch, size }) => batch * 3 * size * size,
  args: (d, { batch, size, patch }) => ({
    batch,
    size,
    patch,
    pixels: d.real(batch * 3 * size * size),
    out: d.output(batch * (size / patch) ** 2, 3 * patch * patch),
  }),
  suite: [
    { batch: 1, size: 4, patch: 4 },
    { batch: 2, size: 6, patch: 3 },
    { batch: 3, size: 35, patch: 7 },
  ],
});
