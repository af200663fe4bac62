/**
 * What the host and the compiled code must agree on, and the only place that states it. `node scripts/build-wasm.mjs` makes of it
 * `assembly/layout.generated.ts` (constants, enumerations, classes) and `layout.generated.ts` (the same, types, and what writes each record).
 */

/**
 * The tile of the result that an inner kernel holds in registers, one for each kind of compiled code, and how many panels of B (of as many
 * columns as the tile has) are packed together: 32 columns, 128 bytes of each row.
 */
export const TILES = {
  narrow: { rows: 5, columns: 8, group: 4 },
  wide: { rows: 6, columns: 16, group: 2 },
};

export const CONSTANTS = [
  ['EDGE_TILE_BYTES', 384, 'Space for a tile at an edge of the result: up to 6 rows of 64 bytes.'],
  ['WINDOWS_BYTES', 128, 'Space for where the windows of a tile lie: up to 6, 12 bytes each.'],
  ['SPINS', 2000, 'How often a thread checks a counter before it sleeps.'],
];

/**
 * Numbers that the compiled code reads from the heap's first bytes, which no buffer has. As constants in the code they would be slow: V8 puts
 * each together anew at every use, a vector of 256 bits in seven instructions.
 */
export const NUMBERS = {
  ONE: 1,
  HALF: 0.5,
  MINUS_HALF: -0.5,
  // exp: see simd.ts.
  EXP_LARGEST: 88,
  EXP_SMALLEST: -87,
  NOTHING: -85, // Whose exponential counts as 0.
  LOG2_E: Math.LOG2E,
  ROUND: 12582912, // 1.5 * 2^23: added to a float, it leaves the nearest integer in the low bits of the mantissa.
  MINUS_LN2_HIGH: -0.693359375, // ln 2 in two parts: the first has few bits, so that n * LN2_HIGH is exact.
  MINUS_LN2_LOW: 2.1219444e-4,
  SERIES_7: 1 / 5040,
  SERIES_6: 1 / 720,
  SERIES_5: 1 / 120,
  SERIES_4: 1 / 24,
  SERIES_3: 1 / 6,
  // Activations: see epilogue.ts.
  QUICK: 1.702,
  MINUS_QUICK: -1.702,
  NORMAL: 1 / Math.sqrt(2 * Math.PI),
  TAIL_T: 0.3275911 * Math.SQRT1_2,
  TAIL_5: 1.061405429 / 2,
  TAIL_4: -1.453152027 / 2,
  TAIL_3: 1.421413741 / 2,
  TAIL_2: -0.284496736 / 2,
  TAIL_1: 0.254829592 / 2,
};

/** Names that stand for their position; of a field that may be absent the first is what it then holds. */
export const ENUMS = {
  Kind: [
    'matmul',
    'attention',
    'attentionGradQuery',
    'attentionGradKeyValue',
    'layerNorm',
    'layerNormGrad',
    'maxPool',
    'averagePool',
    'winograd',
  ],
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
    ['relu', 'flag', 'Whether what is negative in the end becomes 0.'],
    ['hasEpilogue', 'flag', 'Whether anything but a plain store happens to a finished element.'],
    ['packedB', 'usize', 'All of B in packed panels, for all threads; absent: each task packs what it needs.'],
    ['taskRows taskColumns', 'i32', "Of a task: multiples of a tile's."],
    ['taskDepth', 'i32', 'Length of a block of k.'],
    ['panelsAt stagingAt packedAt', 'usize', "In a thread's memory: panels of B, the same widened, the block of A."],
    ['packTaken packDone', 'atomic', 'Packing tasks handed out, and done.'],
    [
      'windowRun',
      'i32',
      "If not 0, row i of `a` is what the i-th window of images sees (a convolution): so many numbers of each of the window's rows.",
    ],
    ['height width channels stride padding outHeight outWidth', 'i32'],
    [
      'windowsAt zerosAt',
      'usize',
      "In a thread's memory: where windows lie, and as many zeros as a block of k is long.",
    ],
  ],
  AttentionJob: [
    'Attention or one of its gradients. Tasks run over rows, each combined with others: queries with keys, or for gradK and gradV keys with queries.',
    ...JOB,
    ['heads headWidth', 'i32'],
    ['scale', 'f32'],
    ['q qStride k kStride v vStride', 'usize', 'Where the first head begins, and the distance between rows in bytes.'],
    ['ranges', 'usize', '[rows, rangesPerRow, 2] i32: the others of each row.'],
    ['rangesPerRow', 'i32', '1 or 2.'],
    ['logSumExp', 'usize', '[queries, heads]; written by attention unless absent, read by the gradients.'],
    ['bias', 'usize', '[heads, biasRows, biasRows], added to the scaled scores by attention; absent: none.'],
    ['biasRows', 'i32', 'Rows of an image: with a bias each row sees those of its image.'],
    ['delta', 'usize', '[queries, heads].'],
    ['gradOut', 'usize', '[queries, heads * headWidth].'],
    ['out outStride', 'usize', 'The result: out, gradQ or gradK.'],
    ['gradV', 'usize', 'Its rows are `outStride` apart, too.'],
    ['blocks', 'usize', '[blockCount] Block.'],
    ['blockCount', 'i32'],
    [
      'capacity',
      'i32',
      "Others that fit in a thread's scratch memory: a multiple of a panel's columns, and enough for every block.",
    ],
    ['tileAt gradTileAt', 'usize', "In a thread's memory: left operands of the two products over the width."],
    ['scoresAt gradScoresAt', 'usize', 'Results of those products, [rows of a tile, capacity].'],
    ['weightsAt', 'usize', 'Left operand of a product over positions.'],
    ['lseAt deltaAt', 'usize', "The others' statistics [capacity]."],
    ['transposedAt gradTransposedAt', 'usize', 'Their right operands: panels of others.'],
    ['straightAt gradStraightAt', 'usize', 'Right operands of such products: panels of columns.'],
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
  PoolJob: [
    'Pooling, a row of results a task.',
    ...JOB,
    ['images height width channels outHeight outWidth', 'i32'],
    ['window stride padding', 'i32', 'Of max pooling.'],
    ['x out', 'usize'],
  ],
  WinogradJob: [
    'A convolution by 3 x 3 that moves by one pixel, in squares of 2 x 2 results.',
    ...JOB,
    ['a b out bias residual', 'usize'],
    ['relu', 'flag'],
    ['n height width channels padding outHeight outWidth', 'i32'],
    ['squaresDown squaresAcross squares', 'i32', 'Of an image, and of all.'],
    ['taskSquares', 'i32', "A multiple of a tile's rows."],
    ['packedB', 'usize', '[16, panels of n, channels, columns of a tile]: the transformed weights.'],
    ['workspace', 'usize', 'Memory of all threads, each with a slot of it.'],
    ['slotBytes pixelsAt sumsAt', 'i32', 'Size of a slot; in it, the 16 transforms of the pixels and the 16 sums.'],
    ['slotsTaken packTaken packDone', 'atomic'],
  ],
  Control: [
    'Through it the caller wakes the workers and sees that they have left a job.',
    ['generation', 'atomic', 'Workers sleep until it changes.'],
    ['stop', 'atomic'],
    ['open', 'atomic', 'Whether the job may be entered.'],
    ['active', 'atomic', 'Workers inside the job. While it is not 0 the job must not be changed.'],
  ],
};
