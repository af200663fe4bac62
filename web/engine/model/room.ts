/** What a device can hold, and whether a model fits. */
import type { ModelFootprint } from '../../../src/clip/towers/index.js';
import { type Backend, WebGpuBackend } from '../../../src/kernels/index.js';
import type { Bound, DeviceRoom } from '../../protocol-model.js';

const GIB = 2 ** 30;

/** All that 32-bit addresses reach. */
const WASM_BYTES = 2 ** 32;

/** From here on, what browsers say of the computer's memory is no more than a lower bound: they do not tell pages more. */
const MOST_TOLD_GIB = 8;

/** What `backend` can hold. A page is not told how much memory a graphics device has, only how large a buffer may be. */
export function roomOf(backend: Backend): DeviceRoom {
  const device = backend.description;
  if (!(backend instanceof WebGpuBackend)) {
    const total = smallest({ bytes: WASM_BYTES, source: 'the address space of WebAssembly' }, memoryOfComputer());
    return { device, buffer: undefined, total };
  }
  const { limits, software } = backend.adapter;
  const bound = (name: string): Bound => ({ bytes: limits[name] ?? Number.POSITIVE_INFINITY, source: `its ${name}` });
  const buffer = smallest(bound('maxBufferSize'), bound('maxStorageBufferBindingSize'));
  // A software adapter's memory is the computer's.
  return { device, buffer, total: software ? memoryOfComputer() : undefined };
}

/** Why a model does not fit, in one line; null if nothing is known against it. */
export function refusal(name: string, footprint: ModelFootprint, activations: number, room: DeviceRoom): string | null {
  const { buffer, total, device } = room;
  const { largest, bytes } = footprint;
  if (buffer && largest.bytes > buffer.bytes) {
    return (
      `${name}: does not fit on ${device}: ${largest.name} takes ${mebibytes(largest.bytes)} in one piece, ` +
      `and ${buffer.source} is ${mebibytes(buffer.bytes)}`
    );
  }
  const need = bytes + activations;
  if (total && need > total.bytes) {
    return `${name}: does not fit on ${device}: it takes ${mebibytes(need)}, and ${total.source} is ${mebibytes(total.bytes)}`;
  }
  return null;
}

/** Undefined if the browser does not say. */
function memoryOfComputer(): Bound | undefined {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number };
  if (deviceMemory === undefined || deviceMemory >= MOST_TOLD_GIB) return undefined;
  return { bytes: deviceMemory * GIB, source: "this computer's memory" };
}

function smallest(one: Bound, other: Bound | undefined): Bound {
  return other && other.bytes < one.bytes ? other : one;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
}
