/** Prompt composition (Eq. 3) and the grouped dot products around it, with their gradients. */
import { labKernel } from './lab-kernel.js';

const SHAPES = [
  [1, 1, 1, 1],
  [2, 3, 5, 7],
  [3, 8, 9, 64],
  [5, 2, 4, 67],
] as const;

const unit = 'element';

const composition = {
  extents: { batch: 64, classes: 8, tokens: 8, width: 512 },
  unit,
  suite: SHAPES.map(([batch, classes, tokens, width]) => ({ batch, classes, tokens, width })),
};

export const compose = labKernel('compose', {
  ...composition,
  equation: 'out[b, j] = sum over i of weights[b, i, j] * prompts[i, j] (Eq. 3)',
  units: ({ batch, tokens, width }) => batch * tokens * width,
  args: (d, { batch, classes, tokens, width }) => ({
    batch,
    classes,
    tokens,
    width,
    weights: d.real(batch * classes * tokens),
    prompts: d.real(classes * tokens * width),
    out: d.output(batch, tokens, width),
  }),
});

export const composeGradWeights = labKernel('composeGradWeights', {
  ...composition,
  equation: 'gradWeights[b, i, j] = gradOut[b, j] . prompts[i, j]',
  units: ({ batch, classes, tokens }) => batch * classes * tokens,
  args: (d, { batch, classes, tokens, width }) => ({
    batch,
    classes,
    tokens,
    width,
    gradOut: d.real(batch * tokens * width),
    prompts: d.real(classes * tokens * width),
    gradWeights: d.output(batch, classes, tokens),
  }),
});

export const composeGradPrompts = labKernel('composeGradPrompts', {
  ...composition,
  equation: 'gradPrompts[i, j] = sum over b of weights[b, i, j] * gradOut[b, j]',
  units: ({ classes, tokens, width }) => classes * tokens * width,
  args: (d, { batch, classes, tokens, width }) => ({
    batch,
    classes,
    tokens,
    width,
    gradOut: d.real(batch * tokens * width),
    weights: d.real(batch * classes * tokens),
    gradPrompts: d.output(classes, tokens, width),
  }),
});

const dots = {
  extents: { groups: 64, members: 8, width: 512 },
  options: { scale: 3.5 },
  unit,
  suite: SHAPES.map(([groups, members, , width]) => ({ groups, members, width })),
};

export const groupDot = labKernel('groupDot', {
  ...dots,
  equation: 'out[g, i] = scale * (a[g] . b[g, i])',
  units: ({ groups, members }) => groups * members,
  args: (d, { groups, members, width, scale }) => ({
    groups,
    members,
    width,
    scale,
    a: d.real(groups * width),
    b: d.real(groups * members * width),
    out: d.output(groups, members),
  }),
});

export const groupDotGradA = labKernel('groupDotGradA', {
  ...dots,
  equation: 'gradA[g] = scale * sum over i of gradOut[g, i] * b[g, i]',
  units: ({ groups, width }) => groups * width,
  args: (d, { groups, members, width, scale }) => ({
    groups,
    members,
    width,
    scale,
    b: d.real(groups * members * width),
    gradOut: d.real(groups * members),
    gradA: d.output(groups, width),
  }),
});

export const groupDotGradB = labKernel('groupDotGradB', {
  ...dots,
  equation: 'gradB[g, i] = scale * gradOut[g, i] * a[g]',
  units: ({ groups, members, width }) => groups * members * width,
  args: (d, { groups, members, width, scale }) => ({
    groups,
    members,
    width,
    scale,
    a: d.real(groups * width),
    gradOut: d.real(groups * members),
    gradB: d.output(groups, members, width),
  }),
});
