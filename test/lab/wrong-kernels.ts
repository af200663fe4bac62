/** Kernels that are wrong in ways in which kernels are wrong: shipped variants with a change or two. */
import type { Sizes } from '../../src/kernels/index.js';

/** What a kernel gets wrong, and how: texts to be replaced. */
export interface Wrong {
  readonly what: string;
  readonly kernel: string;
  /** Of the shipped ones; by default the plainest. */
  readonly variant?: string;
  readonly changes: readonly (readonly [from: string, to: string])[];
  /** Sizes to time, where only they show it. */
  readonly sizes?: Sizes;
}

export const WRONG: readonly Wrong[] = [
  // Sums and shapes.
  {
    what: 'k past 64 is dropped',
    kernel: 'matmul',
    changes: [['p < params.k;', 'p < min(params.k, 64u);']],
  },
  {
    what: 'k past 1,040 is dropped',
    kernel: 'matmul',
    changes: [['p < params.k;', 'p < min(params.k, 1040u);']],
    sizes: { m: 4, n: 8, k: 2048 },
  },
  {
    what: 'the first call alone is right',
    kernel: 'affine',
    changes: [['out[at] = value;', 'out[at] = value + select(1.0, 0.0, bitcast<u32>(out[at]) == 0x7fc00000u);']],
    sizes: { length: 64 },
  },
  {
    what: 'a last row is not written',
    kernel: 'matmul',
    changes: [['row >= params.m ||', 'row + 1u >= params.m ||']],
  },
  {
    what: 'a last column is not written if there are more than one',
    kernel: 'matmul',
    changes: [['column >= params.n)', 'column >= max(1u, params.n - 1u))']],
  },
  {
    what: 'a transposed left operand is read by the wrong stride, right where it is square',
    kernel: 'matmul',
    changes: [['a[p * params.m + row]', 'a[p * params.k + row]']],
  },
  {
    what: 'a right operand in halves is read as if its length were even',
    kernel: 'matmul',
    changes: [
      [
        'unpack2x16float(b[at / 2u])[at % 2u]',
        'unpack2x16float(b[min(at, (params.n * params.k) / 2u * 2u - 1u) / 2u])[at % 2u]',
      ],
    ],
  },
  {
    what: 'alpha is ignored',
    kernel: 'matmul',
    changes: [['params.alpha * ', '']],
  },
  {
    what: 'alpha scales the bias too',
    kernel: 'matmul',
    changes: [['v += bias[column];', 'v += params.alpha * bias[column];']],
  },
  {
    what: 'the bias is ignored where there is a residual',
    kernel: 'matmul',
    changes: [['if (HAS_BIAS) {', 'if (HAS_BIAS && !HAS_RESIDUAL) {']],
  },
  {
    what: 'out is added to, not overwritten',
    kernel: 'matmul',
    changes: [['out[at] = v;', 'out[at] += v;']],
  },
  {
    what: 'an invocation adds to a number while another reads it, and comes later on an adapter that runs them in order',
    kernel: 'softmax',
    changes: [['if (lane < half)', 'if (lane <= half)']],
  },
  {
    what: 'a slice is read before all of it is there: a barrier is missing',
    kernel: 'matmul',
    variant: 'tiled',
    changes: [
      [
        'b_tile[b_p * TILE + b_column] = value;\n    }\n    workgroupBarrier();',
        'b_tile[b_p * TILE + b_column] = value;\n    }',
      ],
    ],
  },
  {
    what: 'a slice is overwritten while others read it: a barrier is missing',
    kernel: 'matmul',
    variant: 'tiled',
    changes: [['right;\n      }\n    }\n    workgroupBarrier();', 'right;\n      }\n    }']],
  },
  {
    what: 'a part of k is not added',
    kernel: 'matmul',
    variant: 'splitK',
    changes: [['other < PARTS;', 'other < PARTS - 1u;']],
  },
  {
    what: 'sums are added before all parts have handed them over: a barrier is missing',
    kernel: 'matmul',
    variant: 'splitK',
    changes: [['(sum[part * SHARE + i]);\n      }\n      workgroupBarrier();', '(sum[part * SHARE + i]);\n      }']],
  },
  {
    what: 'every other slice is left out',
    kernel: 'matmul',
    variant: 'fewRows',
    changes: [['q0 += SLICE_QUADS', 'q0 += 2u * SLICE_QUADS']],
  },
  {
    what: 'terms with a 0 are skipped, and NaN with them',
    kernel: 'matmul',
    changes: [['sum += a_at(row, p)', 'if (a_at(row, p) == 0.0) { continue; }\n    sum += a_at(row, p)']],
  },
  {
    what: 'NaN and infinities are clamped',
    kernel: 'affine',
    changes: [['out[at] = value;', 'out[at] = clamp(value, -3e38, 3e38);']],
  },
  {
    what: 'a row of NaN becomes zeros',
    kernel: 'normalizeRows',
    changes: [['select(1.0 / length, 0.0, length == 0.0)', 'select(0.0, 1.0 / length, length > 0.0)']],
  },
  {
    what: 'NaN becomes 0 by max',
    kernel: 'crossEntropy',
    changes: [['= exp(logits[at + c] - largest) / sum;', '= max(0.0, exp(logits[at + c] - largest) / sum);']],
  },
  // Attention.
  {
    what: 'sums are not scaled again where the largest rises',
    kernel: 'attention',
    changes: [['sum *= rescale;', '']],
  },
  {
    what: 'a query that sees nothing gets NaN',
    kernel: 'attention',
    changes: [['select(sum / denominator, vec2<f32>(), count == 0u)', 'sum / denominator']],
  },
  {
    what: 'probabilities are read before all are there: a barrier is missing',
    kernel: 'attention',
    changes: [['probability[lane] = p;\n    workgroupBarrier();', 'probability[lane] = p;']],
  },
  {
    what: 'a suffix is not seen',
    kernel: 'attention',
    changes: [['let count = first + seen.w - seen.z;', 'let count = first;']],
  },
  // Writes past the end.
  {
    what: 'writes 70 numbers past the end',
    kernel: 'affine',
    changes: [['out[at] = value;', 'out[at] = value;\n  out[params.length + 70u] = 1.0;']],
  },
  {
    what: 'writes 4,096 numbers past the end',
    kernel: 'affine',
    changes: [['out[at] = value;', 'out[at] = value;\n  out[params.length + 4096u] = 1.0;']],
  },
  {
    what: 'writes a whole last workgroup',
    kernel: 'affine',
    changes: [['if (at >= params.length) {', 'if (at >= (params.length + 63u) / 64u * 64u) {']],
  },
  // The grid.
  {
    what: 'elements past 65,535 workgroups are left out',
    kernel: 'affine',
    changes: [['return grid.group.y * grid.groups.x + grid.group.x;', 'return grid.group.x;']],
  },
  {
    what: 'rows past 65,535 are left out',
    kernel: 'softmax',
    changes: [['return grid.group.y * grid.groups.x + grid.group.x;', 'return grid.group.x;']],
  },
  {
    what: 'workgroups past the last row write on',
    kernel: 'softmax',
    changes: [['if (row >= params.rows) {', 'if (row >= 2u * params.rows) {']],
  },
  // Numbers.
  {
    what: 'the largest is sought from 0',
    kernel: 'softmax',
    changes: [['var largest = -3.0e38;', 'var largest = 0.0;']],
  },
  {
    what: 'the largest is not subtracted',
    kernel: 'softmax',
    changes: [['exp(x[at + c] - largest)', 'exp(x[at + c])']],
  },
  {
    what: 'NaN becomes 0 by max',
    kernel: 'softmax',
    changes: [
      ['out[at + c] = exp(x[at + c] - largest) / sum;', 'out[at + c] = max(0.0, exp(x[at + c] - largest) / sum);'],
    ],
  },
  {
    what: 'columns past 512 are not read',
    kernel: 'softmax',
    changes: [['    sum += exp(', '    if (c >= 512u) { continue; }\n    sum += exp(']],
  },
  {
    what: 'columns that are no multiple of 64 are left out',
    kernel: 'softmaxGrad',
    changes: [['for (var c = lane; c < params.columns;', 'for (var c = lane; c < params.columns / 64u * 64u;']],
  },
  {
    what: 'the scratch of a reduction is overwritten while others read it: a barrier is missing',
    kernel: 'softmax',
    changes: [
      ['    workgroupBarrier();\n  }\n  let result = reduce_scratch[0];', '  }\n  let result = reduce_scratch[0];'],
    ],
  },
  {
    what: 'scratch is read before all have written: a barrier is missing',
    kernel: 'softmax',
    changes: [['reduce_scratch[lane] = value;\n  workgroupBarrier();', 'reduce_scratch[lane] = value;']],
  },
  {
    what: 'the variance is E[x^2] - mean^2',
    kernel: 'layerNorm',
    changes: [
      ['let centred = x[at + c] - mean;', 'let centred = x[at + c];'],
      ['/ f32(params.columns) + params.epsilon)', '/ f32(params.columns) - mean * mean + params.epsilon)'],
    ],
  },
  {
    what: 'epsilon is a constant',
    kernel: 'layerNorm',
    changes: [['+ params.epsilon)', '+ 1e-5)']],
  },
  {
    what: 'the variance is divided by n - 1',
    kernel: 'layerNorm',
    changes: [['squares) / f32(params.columns)', 'squares) / max(1.0, f32(params.columns) - 1.0)']],
  },
  {
    what: 'statistics are written whether they are asked for or not, or not at all',
    kernel: 'layerNorm',
    changes: [['statistics[2u * row + 1u] = rstd;', '']],
  },
  {
    what: 'the loss is -log(p)',
    kernel: 'crossEntropy',
    changes: [
      [
        'losses[row] = largest + log(sum) - logits[at + u32(labels[row])];',
        'losses[row] = -log(exp(logits[at + u32(labels[row])] - largest) / sum);',
      ],
    ],
  },
  {
    what: 'the first label is taken for all',
    kernel: 'crossEntropyGrad',
    changes: [['labels[', 'labels[0u * ']],
  },
  {
    what: 'epsilon is left out',
    kernel: 'adamW',
    changes: [['(sqrt(v / params.second_correction) + params.epsilon)', 'sqrt(v / params.second_correction)']],
  },
  {
    what: 'epsilon is within the root',
    kernel: 'adamW',
    changes: [
      ['(sqrt(v / params.second_correction) + params.epsilon)', 'sqrt(v / params.second_correction + params.epsilon)'],
    ],
  },
  {
    what: 'moments are not corrected',
    kernel: 'adamW',
    changes: [['m / params.first_correction', 'm']],
  },
  {
    what: 'weight decay is coupled',
    kernel: 'adamW',
    changes: [
      ['let g = grad[at];', 'let g = grad[at] + params.weight_decay * parameter[at];'],
      ['* (1.0 - params.learning_rate * params.weight_decay)', ''],
    ],
  },
  {
    what: 'the velocity is not kept',
    kernel: 'sgd',
    changes: [['velocity[at] = sum;', '']],
  },
  {
    what: 'rows of zeros become NaN',
    kernel: 'normalizeRows',
    changes: [['select(1.0 / length, 0.0, length == 0.0)', '1.0 / length']],
  },
  {
    what: '-1 is taken for the first row',
    kernel: 'gatherRows',
    changes: [
      [
        'if (index[row] >= 0) {\n      value = source[u32(index[row])',
        'if (true) {\n      value = source[u32(max(0, index[row]))',
      ],
    ],
  },
  {
    what: 'scratch that nothing wrote is read',
    kernel: 'sumRows',
    changes: [
      [
        'if (lane == 0u) {\n    out[column] = params.scale * sum;',
        'if (lane == 0u && params.rows > 1u) {\n    out[column] = params.scale * sum;',
      ],
    ],
  },
  {
    what: 'columns of a row that lie in another patch row are taken from the first',
    kernel: 'patchRows',
    changes: [['let patch_y = (row / side) % side;', 'let patch_y = 0u;']],
  },
  {
    what: 'red and blue are exchanged',
    kernel: 'patchBytes',
    changes: [['(pixel >> (8u * source.channel))', '(pixel >> (8u * (2u - source.channel)))']],
  },
];
