/** Twins of prompt composition (paper, Eq. 3) and of the grouped dot products that give weights' and logits' shape. */
import type {
  ComposeArgs,
  ComposeGradPromptsArgs,
  ComposeGradWeightsArgs,
  GroupDotArgs,
  GroupDotGradAArgs,
  GroupDotGradBArgs,
} from '../contract.js';
import { real } from './arrays.js';
import { dot } from './normalize.js';

export function compose(args: ComposeArgs): void {
  const { batch, classes, tokens, width } = args;
  const [weights, prompts, out] = [real(args.weights), real(args.prompts), real(args.out)];
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < tokens; j++) {
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (let i = 0; i < classes; i++) {
          sum += weights[(b * classes + i) * tokens + j]! * prompts[(i * tokens + j) * width + d]!;
        }
        out[(b * tokens + j) * width + d] = sum;
      }
    }
  }
}

export function composeGradWeights(args: ComposeGradWeightsArgs): void {
  const { batch, classes, tokens, width } = args;
  const [gradOut, prompts, gradWeights] = [real(args.gradOut), real(args.prompts), real(args.gradWeights)];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < classes; i++) {
      for (let j = 0; j < tokens; j++) {
        gradWeights[(b * classes + i) * tokens + j] = dot(
          gradOut,
          prompts,
          (b * tokens + j) * width,
          (i * tokens + j) * width,
          width,
        );
      }
    }
  }
}

export function composeGradPrompts(args: ComposeGradPromptsArgs): void {
  const { batch, classes, tokens, width } = args;
  const [gradOut, weights, gradPrompts] = [real(args.gradOut), real(args.weights), real(args.gradPrompts)];
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < tokens; j++) {
      for (let d = 0; d < width; d++) {
        let sum = 0;
        for (let b = 0; b < batch; b++) {
          sum += weights[(b * classes + i) * tokens + j]! * gradOut[(b * tokens + j) * width + d]!;
        }
        gradPrompts[(i * tokens + j) * width + d] = sum;
      }
    }
  }
}

export function groupDot(args: GroupDotArgs): void {
  const { groups, members, width, scale } = args;
  const [a, b, out] = [real(args.a), real(args.b), real(args.out)];
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < members; i++) {
      out[g * members + i] = scale * dot(a, b, g * width, (g * members + i) * width, width);
    }
  }
}

export function groupDotGradA(args: GroupDotGradAArgs): void {
  const { groups, members, width, scale } = args;
  const [b, gradOut, gradA] = [real(args.b), real(args.gradOut), real(args.gradA)];
  for (let g = 0; g < groups; g++) {
    for (let d = 0; d < width; d++) {
      let sum = 0;
      for (let i = 0; i < members; i++) sum += gradOut[g * members + i]! * b[(g * members + i) * width + d]!;
      gradA[g * width + d] = scale * sum;
    }
  }
}

export function groupDotGradB(args: GroupDotGradBArgs): void {
  const { groups, members, width, scale } = args;
  const [a, gradOut, gradB] = [real(args.a), real(args.gradOut), real(args.gradB)];
  for (let row = 0; row < groups * members; row++) {
    const from = Math.floor(row / members) * width;
    const factor = scale * gradOut[row]!;
    for (let d = 0; d < width; d++) gradB[row * width + d] = factor * a[from + d]!;
  }
}
