/**
 * Which kernels run in WebAssembly, and their arguments with heap addresses in place of buffers. Whatever is not here, or
 * is declined there, runs as its plain twin.
 */
import type {
  AttentionArgs,
  AttentionGradKeyValueArgs,
  AttentionGradQueryArgs,
  DeviceBuffer,
  HeadsView,
  KernelName,
  Kernels,
  LayerNormArgs,
  LayerNormGradArgs,
  MatmulArgs,
} from '../contract.js';
import type { HeapAttentionArgs, WasmEngine } from './wasm/index.js';

/** Runs a kernel in WebAssembly; false if it has to be run as its twin. `at` gives a buffer's address in the heap. */
export function runCompiled<K extends KernelName>(
  engine: WasmEngine,
  kernel: K,
  args: Kernels[K],
  at: (buffer: DeviceBuffer) => number,
): boolean {
  const run = compiled[kernel] as ((engine: WasmEngine, args: Kernels[K], at: Address) => boolean) | undefined;
  return run?.(engine, args, at) ?? false;
}

type Address = (buffer: DeviceBuffer) => number;

const compiled: { readonly [K in KernelName]?: (engine: WasmEngine, args: Kernels[K], at: Address) => boolean } = {
  matmul,
  attention,
  attentionGradQuery,
  attentionGradKeyValue,
  layerNorm,
  layerNormGrad,
};

function matmul(engine: WasmEngine, args: MatmulArgs, at: Address): boolean {
  const { activationGrad } = args;
  engine.matmul({
    ...args,
    a: at(args.a),
    b: at(args.b),
    halfB: args.b.dtype === 'f16',
    out: at(args.out),
    bias: args.bias && at(args.bias),
    preActivation: args.preActivation && at(args.preActivation),
    residual: args.residual && at(args.residual),
    activationGrad: activationGrad && { ...activationGrad, preActivation: at(activationGrad.preActivation) },
  });
  return true;
}

function attention(engine: WasmEngine, args: AttentionArgs, at: Address): boolean {
  const out = { block: at(args.out), offset: 0, stride: 4 * args.heads * args.headWidth };
  return engine.attention({ ...operands('attention', args, at), ranges: visible(args, at), out });
}

function attentionGradQuery(engine: WasmEngine, args: AttentionGradQueryArgs, at: Address): boolean {
  return engine.attention({
    ...operands('attentionGradQuery', args, at),
    ranges: visible(args, at),
    delta: at(args.delta),
    gradOut: at(args.gradOut),
    out: heads(args.gradQ, at),
  });
}

function attentionGradKeyValue(engine: WasmEngine, args: AttentionGradKeyValueArgs, at: Address): boolean {
  return engine.attention({
    ...operands('attentionGradKeyValue', args, at),
    ranges: { address: at(args.seenBy), rows: args.keys, perRow: 1 },
    delta: at(args.delta),
    gradOut: at(args.gradOut),
    out: heads(args.gradK, at),
    gradV: heads(args.gradV, at),
  });
}

function operands(
  kind: HeapAttentionArgs['kind'],
  args: AttentionArgs | AttentionGradQueryArgs | AttentionGradKeyValueArgs,
  at: Address,
) {
  return {
    kind,
    heads: args.heads,
    headWidth: args.headWidth,
    q: heads(args.q, at),
    k: heads(args.k, at),
    v: heads(args.v, at),
    logSumExp: at(args.logSumExp),
  };
}

function visible(args: { visible: DeviceBuffer; queries: number }, at: Address): HeapAttentionArgs['ranges'] {
  return { address: at(args.visible), rows: args.queries, perRow: 2 };
}

function heads({ buffer, stride, offset }: HeadsView, at: Address) {
  return { block: at(buffer), offset: 4 * offset, stride: 4 * stride };
}

function layerNorm(engine: WasmEngine, args: LayerNormArgs, at: Address): boolean {
  const { rows, columns, epsilon, x, weight, bias, statistics, out } = args;
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
}

function layerNormGrad(engine: WasmEngine, args: LayerNormGradArgs, at: Address): boolean {
  const { rows, columns, x, weight, statistics, gradOut, addend, gradX } = args;
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
}
