/** Dot products within groups, with their gradients: the logits of an image against its own texts. */
import { kernel, only, reads, writes } from '../definition.js';
import { dot } from './dot.js';

const scalars = { scale: 3.5 };

const cases = {
  sizes: { groups: 64, members: 8, width: 512 },
  suite: [
    { groups: 1, members: 1, width: 1 },
    { groups: 2, members: 3, width: 7 },
    { groups: 3, members: 8, width: 64 },
    { groups: 5, members: 2, width: 67 },
    { groups: 2, members: 3, width: 768 },
  ],
} as const;

export const groupDot = kernel({
  name: 'groupDot',
  formula: 'out[g, i] = scale * (a[g] . b[g, i])',
  operands: { a: reads('groups width'), b: reads('groups*members width'), out: writes('groups members') },
  scalars,
  twin({ a, b, out, groups, members, width, scale }) {
    for (let g = 0; g < groups; g++) {
      for (let i = 0; i < members; i++) {
        out[g * members + i] = scale * dot(a, b, g * width, (g * members + i) * width, width);
      }
    }
  },
  variants: only('group_dot', 64, 'group_dot'),
  unit: 'element',
  units: ({ groups, members }) => groups * members,
  cases,
});

export const groupDotGradA = kernel({
  name: 'groupDotGradA',
  formula: 'gradA[g] = scale * sum over i of gradOut[g, i] * b[g, i]',
  operands: { b: reads('groups*members width'), gradOut: reads('groups members'), gradA: writes('groups width') },
  scalars,
  twin({ b, gradOut, gradA, groups, members, width, scale }) {
    for (let g = 0; g < groups; g++) {
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (let i = 0; i < members; i++) sum += gradOut[g * members + i]! * b[(g * members + i) * width + d]!;
        gradA[g * width + d] = scale * sum;
      }
    }
  },
  variants: only('group_dot', 64, 'a_gradient'),
  unit: 'element',
  units: ({ groups, width }) => groups * width,
  cases,
});

export const groupDotGradB = kernel({
  name: 'groupDotGradB',
  formula: 'gradB[g, i] = scale * gradOut[g, i] * a[g]',
  operands: { a: reads('groups width'), gradOut: reads('groups members'), gradB: writes('groups*members width') },
  scalars,
  twin({ a, gradOut, gradB, groups, members, width, scale }) {
    for (let row = 0; row < groups * members; row++) {
      const from = Math.floor(row / members) * width;
      const factor = scale * gradOut[row]!;
      for (let d = 0; d < width; d++) gradB[row * width + d] = factor * a[from + d]!;
    }
  },
  variants: only('group_dot', 64, 'b_gradient'),
  unit: 'element',
  units: ({ groups, members, width }) => groups * members * width,
  cases,
});
