/** Opens a WebGPU device with everything its adapter offers, and describes it. */
import { InputError, messageOf } from '../../errors.js';

/** What an adapter is and offers. */
export interface AdapterSummary {
  /** One line for display. */
  description: string;
  /** True for CPU implementations (llvmpipe, SwiftShader, WARP): correct, but slower than the CPU backend. */
  software: boolean;
  vendor: string;
  architecture: string;
  features: string[];
  /** Fewest lanes of a subgroup; 0 if the adapter has no subgroups. */
  subgroupSize: number;
  /** See `AdapterFacts`; left out if there are none. */
  matrices?: readonly string[];
  limits: Record<string, number>;
}

/** Experimental: Chromium offers it with --enable-unsafe-webgpu, Dawn in Node by its feature `allow_unsafe_apis`. */
const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/** Requests an adapter; null if the machine has none. */
export async function findAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  return gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/** What an adapter is and offers. */
export function describeAdapter(adapter: GPUAdapter): AdapterSummary {
  const { vendor, architecture, device, description } = adapter.info;
  const name = [description || device || architecture || 'unnamed adapter', vendor && `(${vendor})`]
    .filter(Boolean)
    .join(' ');
  const software =
    adapter.info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|basic render|software/i.test(`${name} ${device}`);
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, key);
    if (typeof value === 'number') limits[key] = value;
  }
  const features = [...adapter.features].sort();
  const subgroupSize = adapter.features.has('subgroups') ? (adapter.info.subgroupMinSize ?? 0) : 0;
  const matrices = matricesOf(adapter);
  const summary = { description: name, software, vendor, architecture, features, subgroupSize, limits };
  return matrices.length > 0 ? { ...summary, matrices } : summary;
}

/** As `chromium-experimental-subgroup-matrix` describes an operand's type, its result's, and the axes. */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The matrices that shaders can use: without `subgroup_id`, subgroups cannot share the work. */
function matricesOf({ features, info }: GPUAdapter): string[] {
  if (!features.has(SUBGROUP_MATRIX) || !features.has('subgroups')) return [];
  const configs = (Reflect.get(info, 'subgroupMatrixConfigs') ?? []) as Iterable<SubgroupMatrixConfig>;
  return Array.from(configs).flatMap(({ componentType, resultComponentType, M, N, K }) =>
    resultComponentType === 'f32' && M === N && N === K ? [`${componentType}x${M}`] : [],
  );
}

/** Optional features that kernels use if available. */
const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'subgroups', SUBGROUP_MATRIX, 'timestamp-query'];

/** Limits that decide how large a tensor and how wide a workgroup can be; the defaults are far below most adapters'. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
] as const;

/** A device with all the wanted limits at the adapter's maximum. Throws InputError if the adapter gives none. */
export async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (error) {
    throw new InputError(`the WebGPU adapter refused a device: ${messageOf(error).split('\n')[0]}`);
  }
}
