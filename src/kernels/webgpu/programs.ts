/** Compiled programs, cached: a pipeline per set of shader files, entry point and constants. */
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

export class ProgramCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<string, Module>();
  readonly #programs = new Map<string, Program>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(launch: Launch): Program {
    const constants = launch.constants ?? {};
    const key = `${launch.files.join('+')} ${launch.entryPoint} ${Object.entries(constants).join(' ')}`;
    const cached = this.#programs.get(key);
    if (cached) return cached;
    const module = this.#module(launch);
    for (const name of Object.keys(constants)) {
      if (!module.interface.constants.has(name)) throw new Error(`${key}: the shader has no constant ${name}`);
    }
    const program: Program = {
      id: this.#programs.size,
      interface: module.interface,
      layout: module.layout,
      pipeline: this.#device.createComputePipeline({
        label: key,
        layout: module.pipelineLayout,
        compute: { module: module.code, entryPoint: launch.entryPoint, constants },
      }),
    };
    this.#programs.set(key, program);
    return program;
  }

  #module(launch: Launch): Module {
    const key = launch.files.join('+');
    const cached = this.#modules.get(key);
    if (cached) return cached;
    const code = launch.files.map((file) => shaders[file]).join('\n');
    const reflected = reflectShader(code);
    const layout = this.#device.createBindGroupLayout({
      label: key,
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
      code: this.#device.createShaderModule({ label: key, code }),
      layout,
      pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      interface: reflected,
    };
    this.#modules.set(key, module);
    return module;
  }
}
