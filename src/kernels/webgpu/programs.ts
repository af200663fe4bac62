/** Compiled programs, cached: a pipeline per text, entry point and constants. */
import { messageOf } from '../../errors.js';
import { span } from '../../trace.js';
import { GPU_STAGE_COMPUTE } from './buffer-pool.js';
import type { Launch } from './launch.js';
import type { ShaderInterface } from './reflect.js';

export interface Program {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly interface: ShaderInterface;
}

interface Module {
  readonly code: GPUShaderModule;
  readonly layout: GPUBindGroupLayout;
  readonly pipelineLayout: GPUPipelineLayout;
  readonly interface: ShaderInterface;
}

/** The compiler's messages about a program. */
export interface Compilation {
  readonly messages: readonly CompilerMessage[];
  /** From the text to a pipeline that can run. */
  readonly seconds: number;
}

/** One message of the compiler. */
export interface CompilerMessage {
  readonly type: 'error' | 'warning' | 'info';
  readonly text: string;
  /** Position in the launch's text, from 1; 0 if the compiler gives none. */
  readonly line: number;
  readonly column: number;
}

export class ProgramCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<number, Module>();
  readonly #programs = new Map<string, Program>();
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** How many are compiled. */
  get size(): number {
    return this.#programs.size;
  }

  get(launch: Launch): Program {
    const key = programKey(launch);
    return this.#programs.get(key) ?? this.#compileNow(launch, key);
  }

  #compileNow(launch: Launch, key: string): Program {
    using _ = span('compile', { program: launch.label });
    const module = this.#module(launch);
    return this.#keep(key, module, this.#device.createComputePipeline(descriptor(launch, module)));
  }

  /** Compiles all programs that are not yet there, together. Those that fail are left to `get`. */
  async prepare(launches: readonly Launch[]): Promise<void> {
    const fresh = new Map(launches.map((launch) => [programKey(launch), launch]));
    using _ = span('prepare', { programs: fresh.size });
    await Promise.allSettled(
      [...fresh].map(async ([key, launch]) => {
        if (this.#programs.has(key)) return;
        const module = this.#module(launch);
        const pipeline = await this.#device.createComputePipelineAsync(descriptor(launch, module));
        if (!this.#programs.has(key)) this.#keep(key, module, pipeline);
      }),
    );
  }

  /** Compiles a program again, keeps it if that succeeded, and returns all messages of the compiler. Never throws for invalid WGSL. */
  async compile(launch: Launch): Promise<Compilation> {
    const key = programKey(launch);
    this.#programs.delete(key);
    this.#modules.delete(launch.shader.id);
    const start = performance.now();
    const messages: CompilerMessage[] = [];
    let module: Module | undefined;
    // The scope is closed before any await: it would catch errors of other work.
    this.#device.pushErrorScope('validation');
    let captured: Promise<GPUError | null>;
    let pipeline: Promise<GPUComputePipeline> | undefined;
    try {
      module = this.#module(launch);
      pipeline = this.#device.createComputePipelineAsync(descriptor(launch, module));
    } catch (error) {
      messages.push(asMessage(error));
    } finally {
      captured = this.#device.popErrorScope();
    }
    const [compiled] = await Promise.allSettled([pipeline, captured]);
    const seconds = (performance.now() - start) / 1000;
    await captured;
    if (compiled.status === 'rejected') messages.push(asMessage(compiled.reason));
    else if (module && compiled.value) this.#keep(key, module, compiled.value);
    if (!module) return { messages, seconds };
    const info = await module.code.getCompilationInfo();
    const placed = info.messages.map(
      ({ type, message, lineNum, linePos }): CompilerMessage => ({
        type,
        text: message,
        line: lineNum,
        column: linePos,
      }),
    );
    // If the text itself is wrong, the missing pipeline is not worth a message.
    return { messages: placed.some(({ type }) => type === 'error') ? placed : [...placed, ...messages], seconds };
  }

  #keep(key: string, module: Module, pipeline: GPUComputePipeline): Program {
    const { interface: reflected, layout } = module;
    const program: Program = { id: this.#nextId++, interface: reflected, layout, pipeline };
    this.#programs.set(key, program);
    return program;
  }

  #module({ shader, label }: Launch): Module {
    const { id, text, interface: reflected } = shader;
    const cached = this.#modules.get(id);
    if (cached) return cached;
    const layout = this.#device.createBindGroupLayout({
      label,
      entries: [
        { binding: 0, visibility: GPU_STAGE_COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
        ...reflected.bindings.map(
          ({ access }, i): GPUBindGroupLayoutEntry => ({
            binding: i + 1,
            visibility: GPU_STAGE_COMPUTE,
            buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
          }),
        ),
      ],
    });
    const module: Module = {
      code: this.#device.createShaderModule({ label, code: text }),
      layout,
      pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      interface: reflected,
    };
    this.#modules.set(id, module);
    return module;
  }
}

function asMessage(error: unknown): CompilerMessage {
  return { type: 'error', text: messageOf(error), line: 0, column: 0 };
}

function programKey({ shader, entryPoint, constants }: Launch): string {
  let key = `${shader.id} ${entryPoint}`;
  for (const name in constants) key += ` ${constants[name]}`;
  return key;
}

function descriptor(
  { label, entryPoint, constants }: Launch,
  { code, pipelineLayout }: Module,
): GPUComputePipelineDescriptor {
  return { label, layout: pipelineLayout, compute: { module: code, entryPoint, constants: { ...constants } } };
}
