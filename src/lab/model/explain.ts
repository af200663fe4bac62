/** A model in words. */
import type { Model } from './model.js';

/** What bounds the kernel, in a sentence: `bound by workgroup memory: 18,432 cycles a workgroup ...`. */
export function boundText(model: Model): string {
  const { bound, cycles, gpu, flops, share, grid } = model;
  const beside =
    bound === 'arithmetic' || bound === 'device memory' ? '' : `, beside ${whole(cycles.arithmetic)} of arithmetic`;
  const rate = flops > 0 ? 'the peak rate' : 'the bandwidth';
  const rounds = Math.ceil(grid / gpu.multiprocessors);
  const busy = grid / (rounds * gpu.multiprocessors);
  const idle =
    busy < 0.8
      ? `; ${whole(grid)} workgroups keep ${gpu.multiprocessors} multiprocessors busy ${percent(busy)} of the time`
      : '';
  return `bound by ${NAMES[bound] ?? bound}: ${detail(model)}${beside}; at most ${percent(share)} of ${rate}${idle}`;
}

const NAMES: Readonly<Partial<Record<Model['bound'], string>>> = { 'shared cache': 'the shared cache' };

function detail({ bound, cycles, accesses, bytes, gpu, refill, counts }: Model): string {
  const of = accesses.filter(({ memory }) => (memory === 'buffer') === (bound === 'loads and stores'));
  const requests = of.reduce((sum, one) => sum + one.requests, 0);
  if (bound === 'device memory') return `${mega(bytes)} at ${whole(gpu.bandwidth)} GB/s, every operand once`;
  const spent = `${whole(cycles[bound])} cycles a workgroup`;
  switch (bound) {
    case 'arithmetic':
      return `${spent} for ${whole(counts.arithmetic)} instructions`;
    case 'special functions':
      return `${spent} for ${whole(counts.special)} instructions`;
    case 'shared cache':
      return `${spent} for ${mega(refill)}`;
    case 'workgroup memory': {
      const conflicts = of.reduce((sum, one) => sum + one.conflictCycles, 0);
      return `${spent}, ${whole(conflicts)} of them for bank conflicts, for ${whole(requests)} accesses`;
    }
    case 'loads and stores': {
      const used = of.reduce((sum, one) => sum + one.used * one.sectors * one.requests, 0);
      const sectors = of.reduce((sum, one) => sum + one.sectors * one.requests, 0);
      return `${spent} for ${whole(requests)} accesses that use ${percent(used / sectors)} of what they move`;
    }
  }
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Two significant digits below ten. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value < 10 ? value.toPrecision(2) : Math.round(value)} %`;
}

export function mega(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${Number((bytes / 1e6).toPrecision(3))} MB`;
}
