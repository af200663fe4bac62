/**
 * The two optimisers of the method, on device memory, whose state can be saved and restored, so that training resumes exactly; and the clipping of
 * gradients.
 */
import { kernels } from '../kernels/index.js';
import { add, div, mul, sub } from './ops/arithmetic.js';
import { concat } from './ops/layout.js';
import { relu, sqrt, square } from './ops/pointwise.js';
import { sum } from './ops/reduce.js';
import type { Tensor } from './tensor.js';

/** Updates parameters from their gradients. */
export interface Optimizer extends Disposable {
  /** Updates the parameters in place from their gradients; parameters without a gradient do not change. */
  step(learningRate: number): void;
  /** Steps taken, and one array per state tensor. */
  state(): Promise<OptimizerState>;
  /** Restores the state of an optimiser of the same parameters. */
  restore(state: OptimizerState): void;
}

/** What an optimiser remembers, on the host. */
export interface OptimizerState {
  steps: number;
  tensors: Float32Array[];
}

/** SGD with momentum (PyTorch's form, without dampening). With weight decay, this multiple of a parameter is added to its gradient first. */
export class Sgd implements Optimizer {
  #steps = 0;
  readonly #velocities: Tensor[];

  constructor(
    readonly parameters: readonly Tensor[],
    readonly options: { momentum: number; weightDecay?: number },
  ) {
    this.#velocities = parameters.map((parameter) => ownZeros(parameter));
  }

  step(learningRate: number): void {
    this.#steps++;
    this.parameters.forEach((parameter, i) => {
      if (!parameter.grad) return;
      const { momentum, weightDecay = 0 } = this.options;
      const { grad, engine } = parameter;
      engine.scope(() => {
        const decayed =
          weightDecay === 0
            ? grad
            : engine.run(kernels.affine, { x: parameter, scale: weightDecay, shift: 0, addend: grad }).out;
        engine.run(kernels.sgd, { parameter, grad: decayed, velocity: this.#velocities[i]!, learningRate, momentum });
      });
    });
  }

  async state(): Promise<OptimizerState> {
    return { steps: this.#steps, tensors: await Promise.all(this.#velocities.map((tensor) => tensor.read())) };
  }

  /** Restores a state. */
  restore(state: OptimizerState): void {
    this.#steps = state.steps;
    restoreTensors(this.#velocities, state.tensors);
  }

  /** Frees the state, not the parameters. */
  [Symbol.dispose](): void {
    for (const tensor of this.#velocities) tensor.dispose();
  }
}

/** AdamW (Loshchilov and Hutter, 2019). */
export class AdamW implements Optimizer {
  #steps = 0;
  readonly #firstMoments: Tensor[];
  readonly #secondMoments: Tensor[];

  constructor(
    readonly parameters: readonly Tensor[],
    readonly options: { beta1: number; beta2: number; epsilon: number; weightDecay: number },
  ) {
    this.#firstMoments = parameters.map((parameter) => ownZeros(parameter));
    this.#secondMoments = parameters.map((parameter) => ownZeros(parameter));
  }

  step(learningRate: number): void {
    this.#steps++;
    this.parameters.forEach((parameter, i) => {
      if (!parameter.grad) return;
      parameter.engine.run(kernels.adamW, {
        ...this.options,
        parameter,
        grad: parameter.grad,
        firstMoment: this.#firstMoments[i]!,
        secondMoment: this.#secondMoments[i]!,
        learningRate,
        step: this.#steps,
      });
    });
  }

  async state(): Promise<OptimizerState> {
    const tensors = [...this.#firstMoments, ...this.#secondMoments].map((tensor) => tensor.read());
    return { steps: this.#steps, tensors: await Promise.all(tensors) };
  }

  /** Restores a state. */
  restore(state: OptimizerState): void {
    this.#steps = state.steps;
    restoreTensors([...this.#firstMoments, ...this.#secondMoments], state.tensors);
  }

  /** Frees the state, not the parameters. */
  [Symbol.dispose](): void {
    for (const tensor of [...this.#firstMoments, ...this.#secondMoments]) tensor.dispose();
  }
}

/**
 * Scales the gradients of all parameters by one factor so that their common Euclidean norm is at most `norm` (Pascanu, Mikolov and Bengio, 2013,
 * algorithm 1); smaller ones stay as they are. Returns the norm before, a scalar [1], or undefined if no parameter has a gradient. Nothing waits
 * for the device. Throws Error if `norm` is not above 0.
 */
export function clipGradients(parameters: readonly Tensor[], norm: number): Tensor | undefined {
  if (!(norm > 0)) throw new Error(`clipGradients: expected a norm above 0, found ${norm}`);
  const vertices = parameters.flatMap(({ vertex }) => (vertex?.grad ? vertex : []));
  const [first] = vertices;
  return first?.grad?.engine.scope(() => {
    const squares = vertices.map(({ grad }) => sum(square(grad!)));
    const before = sqrt(sum(concat(squares, 0)));
    // norm / max(before, norm)
    const factor = div(norm, add(relu(sub(before, norm)), norm));
    for (const vertex of vertices) vertex.set(mul(vertex.grad!, factor));
    return before;
  });
}

/** Zeros shaped like a parameter, owned by the caller, not by the open scope. */
function ownZeros(parameter: Tensor): Tensor {
  const { engine } = parameter;
  return engine.scope(() => engine.zeros(parameter.shape).share());
}

function restoreTensors(tensors: readonly Tensor[], data: readonly Float32Array[]): void {
  if (data.length !== tensors.length)
    throw new Error(`optimiser state of ${data.length} tensors for ${tensors.length}`);
  tensors.forEach((tensor, i) => {
    const { length } = data[i]!;
    if (length !== tensor.size) throw new Error(`optimiser state of ${length} numbers for a tensor of ${tensor.size}`);
    tensor.engine.backend.write(tensor.buffer, data[i]!);
  });
}
