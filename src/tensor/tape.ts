/**
 * Reverse-mode automatic differentiation on a tape (Wengert, 1964): while a tape is open, each operation on something
 * that depends on a parameter records how to send a gradient back; `backward` replays the records in reverse.
 */
import { span } from '../trace.js';
import { addScaled } from './ops/elementwise.js';
import { requireShape } from './shapes.js';
import type { Tensor } from './tensor.js';

/** The place where the gradient of one tensor is summed. */
export class Vertex {
  grad: Tensor | undefined;

  /** `shape` is the tensor's, and the gradient's; `tape` the one that its operation is on, undefined for a parameter. */
  constructor(
    readonly shape: readonly number[],
    readonly tape?: Tape,
  ) {}

  /** Replaces the sum. Keeps a separate handle on `grad`, which may have another shape of the same size. */
  set(grad: Tensor): void {
    const own = detached(grad, this.shape);
    this.clear();
    this.grad = own;
  }

  /** Clears the sum. */
  clear(): void {
    this.grad?.dispose();
    this.grad = undefined;
  }
}

/** How an operation hands gradients to its inputs; for inputs that need none, nothing is computed. */
export interface GradientSink {
  /** Adds `produce()` to the gradient of input `i`. */
  give(i: number, produce: () => Tensor): void;
  /** For kernels that can add while they compute: `produce` returns the new sum, given the old one if there is any. */
  giveInto(i: number, produce: (sum: Tensor | undefined) => Tensor): void;
}

type Saved = Readonly<Record<string, Tensor | undefined>>;

interface Entry {
  operation: string;
  output: Vertex;
  inputs: readonly (Vertex | undefined)[];
  saved: Saved;
  backward: (gradOut: Tensor, saved: Saved, sink: GradientSink) => void;
}

/** Records what was computed from parameters. `Engine.withTape` opens one. */
export class Tape {
  readonly #entries: Entry[] = [];
  #state: 'open' | 'spent' | 'ended' = 'open';

  /** True until `backward` is called: later computations cannot be differentiated and are not recorded. */
  get open(): boolean {
    return this.#state === 'open';
  }

  /**
   * Records one operation, by its name. `saved` names the tensors that its backward pass needs: the tape keeps them alive until then,
   * and nothing else, so that all other intermediate results are freed when their scope ends.
   */
  record<S extends Saved>(
    operation: string,
    output: Tensor,
    inputs: readonly (Tensor | undefined)[],
    saved: S,
    backward: (gradOut: Tensor, saved: S, sink: GradientSink) => void,
  ): void {
    output.vertex = new Vertex(output.shape, this);
    const kept: Record<string, Tensor | undefined> = {};
    for (const [name, tensor] of Object.entries(saved)) kept[name] = tensor && detached(tensor);
    this.#entries.push({
      operation,
      output: output.vertex,
      inputs: inputs.map((input) => input?.vertex),
      saved: kept,
      backward: backward as Entry['backward'],
    });
  }

  /**
   * Sends `gradient` (of the shape of `output`; 1 for a scalar if left out) back to every parameter. Consumes the tape's
   * records: what each one saved is freed after its use, so `backward` can run only once.
   */
  backward(output: Tensor, gradient?: Tensor): void {
    const { vertex, engine, shape } = output;
    if (this.#state !== 'open')
      throw new Error(
        this.#state === 'ended'
          ? 'backward: the tape has ended; call it inside withTape'
          : 'backward was called on this tape already; open another with withTape',
      );
    if (!vertex) throw new Error('backward from a tensor that depends on no parameter');
    if (vertex.tape !== this)
      throw new Error('backward from a tensor that is not on this tape: compute it inside the same withTape');
    if (!gradient && output.size !== 1)
      throw new Error(`backward from a tensor of shape [${shape.join(', ')}], which is no scalar, needs a gradient`);
    if (gradient) requireShape('backward', 'the gradient', gradient, shape);
    this.#state = 'spent';
    using _ = span('backward');
    engine.scope(() => vertex.set(gradient ?? engine.tensor([1], shape)));
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      const { operation, output: vertex, inputs, saved, backward } = entry;
      const gradOut = vertex.grad;
      if (gradOut) {
        const sink: GradientSink = {
          give: (i, produce) =>
            sink.giveInto(i, (sum) => (sum ? addScaled(produce().reshape(sum.shape), sum) : produce())),
          giveInto: (i, produce) => {
            const input = inputs[i];
            if (input) input.set(produce(input.grad));
          },
        };
        try {
          engine.inBackwardOf(operation, () => engine.scope(() => backward(gradOut, saved, sink)));
        } finally {
          vertex.clear();
          release(saved);
        }
      } else release(saved);
    }
  }

  /** Ends the tape, and frees what is left of an unused or partly used one. */
  clear(): void {
    this.#state = 'ended';
    for (const entry of this.#entries.splice(0)) {
      entry.output.clear();
      release(entry.saved);
    }
  }
}

/** A handle without history: what a backward pass computes with it is not recorded again. */
function detached(tensor: Tensor, shape = tensor.shape): Tensor {
  const handle = tensor.share(shape);
  handle.vertex = undefined;
  return handle;
}

function release(saved: Saved): void {
  for (const tensor of Object.values(saved)) tensor?.dispose();
}
