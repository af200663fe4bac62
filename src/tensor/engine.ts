/** An engine: one backend, the open memory scopes, and the open tape. */
import {
  type ArgsOf,
  areHalves,
  type Backend,
  type Declaration,
  type DType,
  type Kernel,
  type Operands,
  type Sizes,
} from '../kernels/index.js';
import { type Given, type Outputs, type OwnKernel, ownKernel, resolveCall } from './call.js';
import { type GradientSink, Tape, Vertex } from './tape.js';
import { Storage, sizeOf, Tensor } from './tensor.js';

/** What a scope may return: tensors in it pass to the enclosing scope. */
export type Kept =
  | Tensor
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly Kept[]
  | { readonly [key: string]: Kept };

/** Creates tensors on one backend and keeps their scopes and the tape. */
export class Engine {
  readonly #scopes: Set<Tensor>[] = [];
  #tape: Tape | undefined;
  #memoryLimit = Number.POSITIVE_INFINITY;
  /** The operation that ran last, and the one whose gradient is being computed. */
  #last = '';
  #backwardOf: string | undefined;

  constructor(readonly backend: Backend) {}

  /** A frozen tensor from host data. */
  tensor(data: ArrayLike<number>, shape: readonly number[]): Tensor {
    return this.#filled('f32', data, shape);
  }

  /**
   * A frozen tensor that is only used as the right operand of a product, as weights are. Stored in half precision if that saves
   * memory on this device and does not change any result.
   */
  weight(data: Float32Array, shape: readonly number[]): Tensor {
    return this.#filled(this.backend.packsHalves && areHalves(data) ? 'f16' : 'f32', data, shape);
  }

  /** The same from the bit patterns of half-precision numbers. */
  weightOfHalves(bits: Uint16Array, shape: readonly number[]): Tensor {
    const { backend } = this;
    const tensor = this.adopt(new Tensor(this.#allocate(backend.packsHalves ? 'f16' : 'f32', shape), shape));
    if (bits.length !== tensor.size)
      throw new Error(`${bits.length} halves for a tensor of shape [${shape.join(', ')}]`);
    backend.writeHalves(tensor.buffer, bits);
    return tensor;
  }

  /** Whole numbers: of rows, of classes, or pixels in four bytes. */
  indices(data: ArrayLike<number>, shape: readonly number[] = [data.length]): Tensor {
    return this.#filled('i32', data, shape);
  }

  /** A tensor that collects a gradient. Belongs to the caller, not to a scope. */
  parameter(data: ArrayLike<number>, shape: readonly number[]): Tensor {
    const tensor = this.#fill(new Tensor(this.#allocate('f32', shape), shape, new Vertex(shape)), data);
    return tensor;
  }

  /** A frozen tensor of zeros. */
  zeros(shape: readonly number[]): Tensor {
    return this.tensor(new Float32Array(sizeOf(shape)), shape);
  }

  /** Undefined contents, for an operation to write. */
  empty(shape: readonly number[]): Tensor {
    return this.adopt(new Tensor(this.#allocate('f32', shape), shape));
  }

  /** Until it is disposed, the device holds at most the memory that is alive now plus `budget` bytes, if that suffices. */
  workWithin(budget: number): Disposable {
    const { backend } = this;
    const before = this.#memoryLimit;
    const limit = (bytes: number) => {
      this.#memoryLimit = bytes;
      backend.limitMemory(bytes);
    };
    limit(Math.min(before, backend.memory.bytes + budget));
    return { [Symbol.dispose]: () => limit(before) };
  }

  /**
   * Queues a kernel: checks the shapes of its inputs against its declaration, allocates its outputs, and returns them by name. An optional output is
   * made if it is given as `true`; a tensor given for an output is written. Throws Error, which names `operation`, where a shape does not fit.
   */
  run<D extends Declaration>(kernel: Kernel<D>, given: Given<D>, operation = kernel.name): Outputs<D> {
    const { args, outputs } = resolveCall(this, kernel, given, operation);
    const backward = this.#backwardOf !== undefined;
    this.backend.run(kernel, args as ArgsOf<D>, { operation: this.#backwardOf ?? operation, backward });
    this.#last = operation;
    return outputs;
  }

  /**
   * A kernel of one's own, as a function from its inputs to its outputs: see OwnKernel. It runs on WebGPU, and on the CPU if it has a twin; it is
   * checked, profiled and timed as the library's kernels are.
   */
  kernel<const O extends Operands, const S extends Sizes = Record<never, never>>(
    given: OwnKernel<O, S>,
  ): (inputs: Given<{ operands: O; scalars: S; options: Record<never, never> }>) => Outputs<{
    operands: O;
    scalars: S;
    options: Record<never, never>;
  }> {
    const own = ownKernel(given);
    return (inputs) => this.run(own, inputs);
  }

  /**
   * Runs `body` and disposes every tensor made in it, except those that it returns (alone, or in arrays and plain
   * objects), which pass to the enclosing scope, or to the caller if there is none. Throws if `body` is asynchronous: its tensors would
   * be freed before it continues.
   */
  scope<T extends Kept>(body: () => T): T;
  scope(body: () => void): void;
  scope<T extends Kept>(body: () => T): T {
    const scope = new Set<Tensor>();
    this.#scopes.push(scope);
    let result: T | undefined;
    try {
      result = body();
      refusePromise('scope', result);
      return result;
    } finally {
      this.#scopes.pop();
      for (const tensor of tensorsIn(result)) if (scope.delete(tensor)) this.adopt(tensor);
      for (const tensor of scope) tensor.dispose();
    }
  }

  /**
   * Runs `body` with a tape open: what it computes from parameters can be differentiated until it returns. Throws if `body` is
   * asynchronous: after an `await` the tape would have ended.
   */
  withTape<T>(body: (tape: Tape) => T): T {
    if (this.#tape) throw new Error('a tape is open already');
    const tape = new Tape();
    this.#tape = tape;
    try {
      const result = body(tape);
      refusePromise('withTape', result);
      return result;
    } finally {
      this.#tape = undefined;
      tape.clear();
    }
  }

  /**
   * True when an operation on these inputs must be recorded. Operations ask before they save anything. Throws if an input was computed
   * on another tape, which has ended: no gradient could pass through it.
   */
  differentiates(...inputs: readonly (Tensor | undefined)[]): boolean {
    const tape = this.#tape;
    if (!tape?.open) return false;
    const vertices = inputs.flatMap((input) => input?.vertex ?? []);
    if (vertices.some((vertex) => vertex.tape && vertex.tape !== tape))
      throw new Error(
        'a tensor was computed on a tape that has ended: compute it inside this withTape, or read it and make a frozen one',
      );
    return vertices.length > 0;
  }

  /**
   * Records an operation on the open tape, if any of its inputs depends on a parameter, under the name with which its last kernel was run. See
   * Tape.record.
   */
  record<S extends Readonly<Record<string, Tensor | undefined>>>(
    output: Tensor,
    inputs: readonly (Tensor | undefined)[],
    saved: S,
    backward: (gradOut: Tensor, saved: S, sink: GradientSink) => void,
  ): void {
    if (this.differentiates(...inputs)) this.#tape?.record(this.#last, output, inputs, saved, backward);
  }

  /** Runs `body` as the backward pass of an operation, as which its kernels are then known (`Origin`). */
  inBackwardOf(operation: string, body: () => void): void {
    this.#backwardOf = operation;
    try {
      body();
    } finally {
      this.#backwardOf = undefined;
    }
  }

  /** Puts a tensor into the innermost scope. */
  adopt(tensor: Tensor): Tensor {
    this.#scopes.at(-1)?.add(tensor);
    return tensor;
  }

  #filled(dtype: DType, data: ArrayLike<number>, shape: readonly number[]): Tensor {
    return this.#fill(this.adopt(new Tensor(this.#allocate(dtype, shape), shape)), data);
  }

  #fill(tensor: Tensor, data: ArrayLike<number>): Tensor {
    if (data.length !== tensor.size) {
      throw new Error(`${data.length} values for a tensor of shape [${tensor.shape.join(', ')}]`);
    }
    this.backend.write(tensor.buffer, data);
    return tensor;
  }

  #allocate(dtype: DType, shape: readonly number[]): Storage {
    return new Storage(this, this.backend.allocate(dtype, sizeOf(shape)));
  }
}

/** A body that returns a promise continues after its scope or tape has ended; a failure there is a consequence of this error, which reports it. */
function refusePromise(method: string, result: unknown): void {
  if (typeof result !== 'object' || result === null || !('then' in result) || typeof result.then !== 'function') return;
  Promise.resolve(result).catch(() => {});
  throw new Error(
    `${method}: expected a synchronous function, found one that returns a promise; await before or after it`,
  );
}

function* tensorsIn(value: Kept | undefined): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value)) for (const item of value) yield* tensorsIn(item as Kept);
  else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value as Record<string, Kept>)) yield* tensorsIn(item);
  }
}
