/** The kernels behind the steps, as the engine declares them, and where a page of the documentation explains them. */
import { affine } from '../../../src/kernels/families/affine.js';
import { compose } from '../../../src/kernels/families/compose.js';
import { groupDot } from '../../../src/kernels/families/group-dot.js';
import { matmul } from '../../../src/kernels/families/matmul.js';
import { normalizeRows } from '../../../src/kernels/families/normalize-rows.js';

export interface KernelNote {
  readonly name: string;
  readonly formula: string;
  /** A file of the repository. */
  readonly page: string;
}

const note = ({ name, formula }: Pick<KernelNote, 'name' | 'formula'>, page: string): KernelNote => ({
  name,
  formula,
  page: `docs/kernels/${page}`,
});

export const KERNELS = {
  affine: note(affine, 'elements.md'),
  compose: note(compose, 'compose.md'),
  groupDot: note(groupDot, 'group-dot.md'),
  matmul: note(matmul, 'matmul.md'),
  normalizeRows: note(normalizeRows, 'row-norm.md'),
} as const;

/** Invocations of a workgroup of all kernels but the matrix products. */
export { LANES } from '../../../src/kernels/definition.js';
