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
  const scores = new Float64Array(args.keys);
  for (let query = 0; query < queries; query++) {
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const qAt = query * q.stride + q.offset + column;
      let max = Number.NEGATIVE_INFINITY;
      eachVisible(visible, query, (key) => {
        const score = scale * dot(q.data, k.data, qAt, key * k.stride + k.offset + column, headWidth);
        scores[key] = score;
        if (score > max) max = score;
      });
      let sum = 0;
      eachVisible(visible, query, (key) => {
        sum += Math.exp(scores[key]! - max);
      });
      const outAt = query * width + column;
      const accumulator = new Float64Array(headWidth);
      eachVisible(visible, query, (key) => {
        addScaled(
          accumulator,
          v.data,
          key * v.stride + v.offset + column,
          headWidth,
          Math.exp(scores[key]! - max) / sum,
        );
      });
      out.set(accumulator, outAt);
      logSumExp[query * args.heads + head] = max + Math.log(sum);
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
  for (let query = 0; query < queries; query++) {
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const row = query * args.heads + head;
      const outAt = query * width + column;
      const qAt = query * q.stride + q.offset + column;
      const accumulator = new Float64Array(headWidth);
      eachVisible(visible, query, (key) => {
        const kAt = key * k.stride + k.offset + column;
        const probability = Math.exp(scale * dot(q.data, k.data, qAt, kAt, headWidth) - logSumExp[row]!);
        const gradProbability = dot(gradOut, v.data, outAt, key * v.stride + v.offset + column, headWidth);
        addScaled(accumulator, k.data, kAt, headWidth, scale * probability * (gradProbability - delta[row]!));
      });
      gradQ.data.set(accumulator, query * gradQ.stride + gradQ.offset + column);
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
  for (let key = 0; key < keys; key++) {
    for (let head = 0; head < args.heads; head++) {
      const column = head * headWidth;
      const kAt = key * k.stride + k.offset + column;
      const vAt = key * v.stride + v.offset + column;
      const kSum = new Float64Array(headWidth);
      const vSum = new Float64Array(headWidth);
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

function eachVisible(visible: Int32Array, query: number, visit: (key: number) => void): void {
  for (let key = visible[4 * query]!; key < visible[4 * query + 1]!; key++) visit(key);
  for (let key = visible[4 * query + 2]!; key < visible[4 * query + 3]!; key++) visit(key);
}

function addScaled(to: Float64Array, from: RealArray, at: number, length: number, scale: number): void {
  for (let c = 0; c < length; c++) to[c]! += scale * from[at + c]!;
}
