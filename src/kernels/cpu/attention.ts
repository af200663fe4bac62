/**
 * Twins of attention and its gradients. Each query sees two ranges of keys (see AttentionGeometry); scores are recomputed
 * in the backward pass from the saved log-sum-exp, as FlashAttention does (Dao et al., 2022, algorithm 4), so that no
 * score matrix is kept.
 */
import type { AttentionArgs, AttentionGradKeyValueArgs, AttentionGradQueryArgs } from '../contract.js';
import { heads, ints, type RealArray, real } from './arrays.js';
import { dot } from './normalize.js';

export function attention(args: AttentionArgs): void {
  const { queries, headWidth } = args;
  const [q, k, v] = [heads(args.q), heads(args.k), heads(args.v)];
  const visible = ints(args.visible);
  const [out, logSumExp] = [real(args.out), real(args.logSumExp)];
  const width = args.heads * headWidth;
  const scale = 1 / Math.sqrt(headWidth);
  const keys = new Int32Array(args.keys);
  const weights = new Float64Array(args.keys);
  const sum = new Float64Array(headWidth);
  for (let query = 0; query < queries; query++) {
    const count = visibleKeys(visible, query, keys);
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const qAt = query * q.stride + q.offset + column;
      let max = Number.NEGATIVE_INFINITY;
      for (let t = 0; t < count; t++) {
        const score = scale * dot(q.data, k.data, qAt, keys[t]! * k.stride + k.offset + column, headWidth);
        weights[t] = score;
        // Written so that a NaN score appears in the result.
        if (!(score <= max)) max = score;
      }
      let denominator = 0;
      for (let t = 0; t < count; t++) {
        weights[t] = Math.exp(weights[t]! - max);
        denominator += weights[t]!;
      }
      sum.fill(0);
      for (let t = 0; t < count; t++) {
        addScaled(sum, v.data, keys[t]! * v.stride + v.offset + column, headWidth, weights[t]! / denominator);
      }
      out.set(sum, query * width + column);
      logSumExp[query * args.heads + head] = count === 0 ? 0 : max + Math.log(denominator);
    }
  }
}

export function attentionGradQuery(args: AttentionGradQueryArgs): void {
  const { queries, headWidth } = args;
  const [q, k, v, gradQ] = [heads(args.q), heads(args.k), heads(args.v), heads(args.gradQ)];
  const visible = ints(args.visible);
  const [gradOut, logSumExp, delta] = [real(args.gradOut), real(args.logSumExp), real(args.delta)];
  const width = args.heads * headWidth;
  const scale = 1 / Math.sqrt(headWidth);
  const keys = new Int32Array(args.keys);
  const sum = new Float64Array(headWidth);
  for (let query = 0; query < queries; query++) {
    const count = visibleKeys(visible, query, keys);
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const row = query * args.heads + head;
      const outAt = query * width + column;
      const qAt = query * q.stride + q.offset + column;
      sum.fill(0);
      for (let t = 0; t < count; t++) {
        const kAt = keys[t]! * k.stride + k.offset + column;
        const vAt = keys[t]! * v.stride + v.offset + column;
        const probability = Math.exp(scale * dot(q.data, k.data, qAt, kAt, headWidth) - logSumExp[row]!);
        const gradProbability = dot(gradOut, v.data, outAt, vAt, headWidth);
        addScaled(sum, k.data, kAt, headWidth, scale * probability * (gradProbability - delta[row]!));
      }
      gradQ.data.set(sum, query * gradQ.stride + gradQ.offset + column);
    }
  }
}

export function attentionGradKeyValue(args: AttentionGradKeyValueArgs): void {
  const { keys, headWidth } = args;
  const [q, k, v] = [heads(args.q), heads(args.k), heads(args.v)];
  const [gradK, gradV] = [heads(args.gradK), heads(args.gradV)];
  const seenBy = ints(args.seenBy);
  const [gradOut, logSumExp, delta] = [real(args.gradOut), real(args.logSumExp), real(args.delta)];
  const width = args.heads * headWidth;
  const scale = 1 / Math.sqrt(headWidth);
  const kSum = new Float64Array(headWidth);
  const vSum = new Float64Array(headWidth);
  for (let key = 0; key < keys; key++) {
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const kAt = key * k.stride + k.offset + column;
      const vAt = key * v.stride + v.offset + column;
      kSum.fill(0);
      vSum.fill(0);
      for (let query = seenBy[2 * key]!; query < seenBy[2 * key + 1]!; query++) {
        const row = query * args.heads + head;
        const qAt = query * q.stride + q.offset + column;
        const outAt = query * width + column;
        const probability = Math.exp(scale * dot(q.data, k.data, qAt, kAt, headWidth) - logSumExp[row]!);
        const gradProbability = dot(gradOut, v.data, outAt, vAt, headWidth);
        addScaled(vSum, gradOut, outAt, headWidth, probability);
        addScaled(kSum, q.data, qAt, headWidth, scale * probability * (gradProbability - delta[row]!));
      }
      gradK.data.set(kSum, key * gradK.stride + gradK.offset + column);
      gradV.data.set(vSum, key * gradV.stride + gradV.offset + column);
    }
  }
}

/** Lists the keys that a query sees; returns how many. */
function visibleKeys(visible: Int32Array, query: number, keys: Int32Array): number {
  let count = 0;
  for (let range = 0; range < 4; range += 2) {
    for (let key = visible[4 * query + range]!; key < visible[4 * query + range + 1]!; key++) keys[count++] = key;
  }
  return count;
}

function addScaled(to: Float64Array, from: RealArray, at: number, length: number, scale: number): void {
  for (let c = 0; c < length; c++) to[c]! += scale * from[at + c]!;
}
