/** A scale, a shift and a sum, element by element. */
import { ELEMENTWISE, kernel, LANES, optional, reads, writes } from '../definition.js';
import { lengths, SPECIAL } from './shapes.js';

export const affine = kernel({
  name: 'affine',
  formula: 'out = scale * x + shift + addend',
  operands: { x: reads('...length'), addend: optional(reads('...length')), out: writes('...length') },
  scalars: { scale: 0.5, shift: -0.25 },
  twin({ x, addend, out, scale, shift, length }) {
    for (let i = 0; i < length; i++) out[i] = scale * x[i]! + shift + (addend ? addend[i]! : 0);
  },
  // One element per invocation, or four: less than half the time on llvmpipe.
  variants: [
    { name: 'one', wgsl: 'affine', covers: LANES },
    { name: 'four', wgsl: 'affine_four', covers: ELEMENTWISE },
  ],
  prefer: () => 'four',
  unit: 'element',
  units: ({ length }) => length,
  cases: {
    sizes: { length: 884_736 },
    // NaN and infinities, which a maximum or a clamp would swallow.
    variations: { special: 0 },
    data: (d, { length = 0, special }) =>
      special ? { x: d.values(Array.from({ length }, (_, i) => SPECIAL[i % SPECIAL.length]!)) } : {},
    suite: [...lengths.flatMap((size) => [size, { ...size, addend: 1 }]), { length: 67, special: 1 }],
  },
});
