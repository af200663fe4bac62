import { expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { CpuHeap } from '../../../src/kernels/cpu/wasm/index.js';
import { random } from './oracle.js';

it.each([true, false])('random allocations never overlap and merge again when freed (shared: %s)', (shared) => {
  const heap = new CpuHeap({ shared });
  const next = random(7);
  const live: { address: number; length: number; mark: number }[] = [];
  const whole = ({ address, length, mark }: (typeof live)[number]) => {
    const view = heap.i32(address, length);
    return view[0] === mark && view[length - 1] === mark && view[length >> 1] === mark;
  };
  let expected = 0;
  for (let step = 0; step < 6_000; step++) {
    if (next() < 0.52 || live.length === 0) {
      const length = 1 + Math.floor(next() ** 6 * 300_000);
      const block = { address: heap.allocate(length * 4), length, mark: step };
      expect(block.address % 64).toBe(0);
      expect(heap.sizeOf(block.address)).toBeGreaterThanOrEqual(length * 4);
      heap.i32(block.address, length).fill(step);
      live.push(block);
      expected += heap.sizeOf(block.address);
    } else {
      const [block] = live.splice(Math.floor(next() * live.length), 1);
      expect(whole(block!)).toBe(true);
      expected -= heap.sizeOf(block!.address);
      heap.free(block!.address);
    }
    expect(heap.bytesInUse).toBe(expected);
  }
  expect(live.every(whole)).toBe(true);
  const sorted = live.toSorted((x, y) => x.address - y.address);
  for (const [i, { address, length }] of sorted.entries()) {
    expect(address + length * 4).toBeLessThanOrEqual(sorted[i + 1]?.address ?? Number.POSITIVE_INFINITY);
  }
  for (const { address } of live) heap.free(address);
  expect([heap.blocks, heap.bytesInUse, heap.freeBlocks]).toEqual([0, 0, 1]);
});

it('keeps what is written when the memory grows, and old views of shared memory with it', () => {
  const heap = new CpuHeap({ shared: true });
  const address = heap.allocate(400);
  const early = heap.f32(address, 100);
  early.fill(3);
  heap.allocate(50 << 20);
  expect(heap.f32(address, 100).every((x) => x === 3)).toBe(true);
  early[7] = 5;
  expect(heap.f32(address, 100)[7]).toBe(5);
});

it('takes the smallest block that fits', () => {
  const heap = new CpuHeap({ shared: false });
  const sizes = [640, 64, 256, 64, 128, 64];
  const addresses = sizes.map((size) => heap.allocate(size));
  for (const i of [0, 2, 4]) heap.free(addresses[i]!);
  expect(heap.allocate(128)).toBe(addresses[4]);
  expect(heap.allocate(200)).toBe(addresses[2]);
});

it('says so in one line when it is used up, and goes on', () => {
  const heap = new CpuHeap({ shared: true, maximumBytes: 64 << 20 });
  const big = heap.allocate(40 << 20);
  expect(() => heap.allocate(40 << 20)).toThrow(InputError);
  expect(() => heap.allocate(40 << 20)).toThrow(
    'out of memory: the CPU heap of 64 MiB cannot hold another 41943040 bytes (41943040 in use)',
  );
  heap.free(big);
  heap.allocate(60 << 20);
});

it('reaches 4 GiB of addresses', () => {
  const heap = new CpuHeap({ shared: true });
  const low = heap.allocate(3 * 2 ** 30);
  const high = heap.allocate(2 ** 30 - (1 << 20));
  expect(high).toBeGreaterThan(2 ** 31);
  heap.f32(high, 4)[2] = 7;
  expect(heap.f32(high + 8, 1)[0]).toBe(7);
  expect(() => heap.allocate(2 << 20)).toThrow('4096 MiB');
  heap.free(low);
  heap.free(high);
});

it('refuses to free what is not allocated', () => {
  const heap = new CpuHeap({ shared: false });
  const address = heap.allocate(10);
  heap.free(address);
  expect(() => heap.free(address)).toThrow('no live block');
});
