/** Compiled programs, cached: a pipeline per set of shader files, entry point and constants. */
import { messageOf } from '../../errors.js';
import { GPU_STAGE_COMPUTE } from './buffer-pool.js';
import type { Launch } from './launch.js';
import { reflectShader, type ShaderInterface } from './reflect.js';
import { shaders } from './shaders.generated.js';

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
  readonly #modules = new Map<string, Module>();
  readonly #programs = new Map<string, Program>();
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(launch: Launch): Program {
    const key = programKey(launch);
    const cached = this.#programs.get(key);
    if (cached) return cached;
    const module = this.#module(launch);
    for (const name of Object.keys(launch.constants ?? {})) {
      if (!module.interface.constants.has(name)) throw new Error(`${key}: the shader has no constant ${name}`);
    }
    return this.#keep(key, module, this.#device.createComputePipeline(descriptor(launch, module)));
  }

  /** Compiles a program again, keeps it if that succeeded, and returns all messages of the compiler. Never throws for invalid WGSL. */
  async compile(launch: Launch): Promise<Compilation> {
    const key = programKey(launch);
    this.#programs.delete(key);
    this.#modules.delete(moduleKey(launch));
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

  #module(launch: Launch): Module {
    const key = moduleKey(launch);
    const cached = this.#modules.get(key);
    if (cached) return cached;
    const code = shaderText(launch);
    const reflected = reflectShader(code);
    const layout = this.#device.createBindGroupLayout({
      label: launch.files.join('+'),
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
      code: this.#device.createShaderModule({ label: launch.files.join('+'), code }),
      layout,
      pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      interface: reflected,
    };
    this.#modules.set(key, module);
    return module;
  }
}

function asMessage(error: unknown): CompilerMessage {
  return { type: 'error', text: messageOf(error), line: 0, column: 0 };
}

/** The whole WGSL text of a launch. */
export function shaderText({ source, files }: Pick<Launch, 'source' | 'files'>): string {
  return source ?? files.map((file) => shaders[file]).join('\n');
}

function moduleKey({ source, files }: Launch): string {
  return source ?? files.join('+');
}

function programKey(launch: Launch): string {
  return `${moduleKey(launch)} ${launch.entryPoint} ${Object.entries(launch.constants ?? {}).join(' ')}`;
}

function descriptor(launch: Launch, { code, pipelineLayout }: Module): GPUComputePipelineDescriptor {
  const { entryPoint, constants = {} } = launch;
  return {
    label: launch.source === undefined ? programKey(launch) : entryPoint,
    layout: pipelineLayout,
    compute: { module: code, entryPoint, constants },
  };
}
