/**
 * Which kernels run in WebAssembly, and their arguments with heap addresses in place of buffers. Whatever is not here, or
 * is declined there, runs as its plain twin.
 */
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Declaration,
  type DeviceBuffer,
  type Kernel,
} from '../definition.js';
import { ACTIVATIONS } from '../families/activation.js';
import { kernels } from '../families/index.js';
import type { HeapAttentionArgs, WasmEngine } from './wasm/index.js';

type Address = (buffer: DeviceBuffer) => number;
type Compiled<D extends Declaration> = (engine: WasmEngine, args: ArgsOf<D>, at: Address) => boolean;

const compiled = new Map<Kernel, Compiled<Declaration>>();

function compile<D extends Declaration>(kernel: Kernel<D>, run: Compiled<D>): void {
  compiled.set(anyKernel(kernel), run as unknown as Compiled<Declaration>);
}

/** Whether a kernel has a compiled form; for some calls it may be declined all the same. */
export function isCompiled(kernel: Kernel): boolean {
  return compiled.has(kernel);
}

/** Runs a kernel in WebAssembly; false if it has to be run as its twin. `at` gives a buffer's address in the heap. */
export function runCompiled(engine: WasmEngine, kernel: Kernel, args: AnyArgs, at: Address): boolean {
  return compiled.get(kernel)?.(engine, args, at) ?? false;
}

compile(kernels.matmul, (engine, args, at) => {
  const { m, n, k, alpha, gradPreActivation } = args;
  const derivative = ACTIVATIONS[Number(args.activationGrad ?? 0)];
  engine.matmul({
    m,
    n,
    k,
    alpha,
    transposeA: Boolean(args.transposeA),
    transposeB: Boolean(args.transposeB),
    a: at(args.a),
    b: at(args.b),
    halfB: args.b.dtype === 'f16',
    out: at(args.out),
    bias: args.bias && at(args.bias),
    activation: ACTIVATIONS[Number(args.activation ?? 0)],
    preActivation: args.preActivation && at(args.preActivation),
    residual: args.residual && at(args.residual),
    activationGrad: derivative && { activation: derivative, preActivation: at(gradPreActivation!) },
    relu: Boolean(args.relu),
  });
  return true;
});

compile(kernels.convolution, (engine, args, at) => {
  const { images, outHeight, outWidth, window, channels, n } = args;
  engine.matmul({
    m: images * outHeight * outWidth,
    n,
    k: window * window * channels,
    windows: args,
    transposeB: true,
    a: at(args.a),
    b: at(args.b),
    halfB: args.b.dtype === 'f16',
    out: at(args.out),
    bias: args.bias && at(args.bias),
    residual: args.residual && at(args.residual),
    relu: Boolean(args.relu),
  });
  return true;
});

compile(kernels.maxPool, (engine, args, at) => {
  engine.pool({ ...args, kind: 'maxPool', x: at(args.x), out: at(args.out) });
  return true;
});

compile(kernels.averagePool, (engine, args, at) => {
  engine.pool({ ...args, kind: 'averagePool', x: at(args.x), out: at(args.out) });
  return true;
});

compile(kernels.layerNorm, (engine, { rows, columns, epsilon, x, weight, bias, statistics, out }, at) => {
  engine.layerNorm({
    rows,
    columns,
    epsilon,
    x: at(x),
    weight: at(weight),
    bias: at(bias),
    statistics: statistics && at(statistics),
    out: at(out),
  });
  return true;
});

compile(kernels.layerNormGrad, (engine, { rows, columns, x, weight, statistics, gradOut, addend, gradX }, at) => {
  engine.layerNorm({
    rows,
    columns,
    x: at(x),
    weight: at(weight),
    statistics: at(statistics),
    gradOut: at(gradOut),
    addend: addend && at(addend),
    out: at(gradX),
  });
  return true;
});

compile(kernels.attention, (engine, args, at) => {
  const out = { block: at(args.out), offset: 0, stride: 4 * args.heads * args.headWidth };
  return engine.attention({ ...operands('attention', args, at), ranges: visible(args, at), out });
});

compile(kernels.biasedAttention, (engine, { images, rows, heads: count, headWidth, qkv, bias, out }, at) => {
  const width = count * headWidth;
  return engine.biasedAttention(
    {
      heads: count,
      headWidth,
      q: heads(qkv, 3 * width, 0, at),
      k: heads(qkv, 3 * width, width, at),
      v: heads(qkv, 3 * width, 2 * width, at),
      bias: { address: at(bias), rows },
      out: heads(out, width, 0, at),
    },
    images,
  );
});

compile(kernels.attentionGradQuery, (engine, args, at) =>
  engine.attention({
    ...operands('attentionGradQuery', args, at),
    ranges: visible(args, at),
    delta: at(args.delta),
    gradOut: at(args.gradOut),
    out: heads(args.gradQ, args.qStride, args.qOffset, at),
  }),
);

compile(kernels.attentionGradKeyValue, (engine, args, at) =>
  engine.attention({
    ...operands('attentionGradKeyValue', args, at),
    ranges: { address: at(args.seenBy), rows: args.keys, perRow: 1 },
    delta: at(args.delta),
    gradOut: at(args.gradOut),
    out: heads(args.gradKv, args.kStride, args.kOffset, at),
    gradV: heads(args.gradKv, args.vStride, args.vOffset, at),
  }),
);

/** What attention and its gradients read alike. */
type Operands = Pick<
  Parameters<typeof kernels.attention.units>[0],
  | 'heads'
  | 'headWidth'
  | 'q'
  | 'k'
  | 'v'
  | 'logSumExp'
  | 'qStride'
  | 'kStride'
  | 'vStride'
  | 'qOffset'
  | 'kOffset'
  | 'vOffset'
>;

function operands(kind: HeapAttentionArgs['kind'], args: Operands, at: Address) {
  return {
    kind,
    heads: args.heads,
    headWidth: args.headWidth,
    q: heads(args.q, args.qStride, args.qOffset, at),
    k: heads(args.k, args.kStride, args.kOffset, at),
    v: heads(args.v, args.vStride, args.vOffset, at),
    logSumExp: at(args.logSumExp),
  };
}

function visible(args: { visible: DeviceBuffer; queries: number }, at: Address): HeapAttentionArgs['ranges'] {
  return { address: at(args.visible), rows: args.queries, perRow: 2 };
}

function heads(buffer: DeviceBuffer, stride: number, offset: number, at: Address) {
  return { block: at(buffer), offset: 4 * offset, stride: 4 * stride };
}
