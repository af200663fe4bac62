/**
 * What the host and the compiled code must agree on, and the only place that states it. `node scripts/build-wasm.mjs` makes of it
 * `assembly/layout.generated.ts` (constants, enumerations, classes) and `layout.generated.ts` (the same, types, and what writes each record).
 */

export const CONSTANTS = [
  ['TILE_ROWS', 5, 'Rows of the tile that the inner kernel holds in registers.'],
  ['TILE_COLUMNS', 8, 'Its columns, and those of a packed panel of B.'],
  ['EDGE_TILE_BYTES', 192, 'Space for a tile at an edge of the result: 5 rows of 32 bytes, in whole cache lines.'],
  ['GROUP', 4, 'Panels of B that are packed together: as many as `packPanels` is fastest with.'],
  ['SPINS', 2000, 'How often a thread checks a counter before it sleeps.'],
];

/** Names that stand for their position; of a field that may be absent the first is what it then holds. */
export const ENUMS = {
  Kind: ['matmul', 'attention', 'attentionGradQuery', 'attentionGradKeyValue', 'layerNorm', 'layerNormGrad'],
  Activation: ['none', 'quick_gelu', 'gelu'],
};

/**
 * Each field takes 4 bytes, in this order: `i32`, `f32`, `usize` (an address in the heap, 0 if absent), `flag` (0 or 1), `atomic` (begins at 0,
 * threads change it), or one of the enumerations. All jobs begin with these, so that the compiled code can read the kind of any.
 */
const JOB = [
  ['kind', 'Kind'],
  ['tasksTaken', 'atomic', 'Tasks handed out so far.'],
];

/** What each record is, and its fields: names, type, meaning. */
export const RECORDS = {
  Job: ['The first fields of every job.', ...JOB],
  MatmulJob: [
    'One product.',
    ...JOB,
    ['a b out', 'usize'],
    ['m n k', 'i32'],
    ['transposeA transposeB', 'flag'],
    ['halfB', 'flag', 'Whether b is in half precision.'],
    ['alpha', 'f32'],
    ['bias preActivation', 'usize'],
    ['activation', 'Activation'],
    ['gradAt', 'usize', 'The pre-activation at which the derivative of `gradActivation` is taken.'],
    ['gradActivation', 'Activation'],
    ['residual', 'usize'],
    ['hasEpilogue', 'flag', 'Whether anything but a plain store happens to a finished element.'],
    ['packedB', 'usize', 'All of B in packed panels, for all threads; absent: each task packs what it needs.'],
    ['taskRows taskColumns', 'i32', "Of a task: multiples of a tile's."],
    ['taskDepth', 'i32', 'Length of a block of k.'],
    ['panelsAt stagingAt packedAt', 'usize', "In a thread's memory: panels of B, the same widened, the block of A."],
    ['packTaken packDone', 'atomic', 'Packing tasks handed out, and done.'],
  ],
  AttentionJob: [
    'Attention or one of its gradients. Tasks run over rows, each combined with others: queries with keys, or for gradK and gradV keys with queries.',
    ...JOB,
    ['heads headWidth', 'i32'],
    ['scale', 'f32'],
    ['q qStride k kStride v vStride', 'usize', 'Where the first head begins, and the distance between rows in bytes.'],
    ['ranges', 'usize', '[rows, rangesPerRow, 2] i32: the others of each row.'],
    ['rangesPerRow', 'i32', '1 or 2.'],
    ['logSumExp', 'usize', '[queries, heads]; written by attention, read by the gradients.'],
    ['delta', 'usize', '[queries, heads].'],
    ['gradOut', 'usize', '[queries, heads * headWidth].'],
    ['out outStride', 'usize', 'The result: out, gradQ or gradK.'],
    ['gradV', 'usize', 'Its rows are `outStride` apart, too.'],
    ['blocks', 'usize', '[blockCount] Block.'],
    ['blockCount', 'i32'],
    ['capacity', 'i32', "Others that fit in a thread's scratch memory: a multiple of 8, and enough for every block."],
    ['tileAt gradTileAt', 'usize', "In a thread's memory: left operands of the two products over the width."],
    ['scoresAt gradScoresAt', 'usize', 'Results of those products, [5, capacity].'],
    ['weightsAt', 'usize', 'Left operand of a product over positions.'],
    ['lseAt deltaAt', 'usize', "The others' statistics [capacity]."],
    ['transposedAt gradTransposedAt', 'usize', 'Their right operands: panels of 8 others.'],
    ['straightAt gradStraightAt', 'usize', 'Right operands of such products: panels of 8 columns.'],
  ],
  Block: [
    'A run of rows, and the two runs of others that contain all others of those rows.',
    ['row rowEnd first firstEnd second secondEnd', 'i32'],
  ],
  LayerNormJob: [
    'Layer norm or its gradient.',
    ...JOB,
    ['rows columns taskRows', 'i32'],
    ['epsilon', 'f32'],
    ['x weight bias', 'usize'],
    ['statistics', 'usize', '[rows, 2]: mean and reciprocal of the standard deviation.'],
    ['gradOut addend out', 'usize'],
  ],
  Control: [
    'Through it the caller wakes the workers and sees that they have left a job.',
    ['generation', 'atomic', 'Workers sleep until it changes.'],
    ['stop', 'atomic'],
    ['open', 'atomic', 'Whether the job may be entered.'],
    ['active', 'atomic', 'Workers inside the job. While it is not 0 the job must not be changed.'],
  ],
};
