/** What the checkpoint tests share: fixtures, hand-made files, sources that count, and the one acceptable kind of error. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { type ByteSource, bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import type { Checkpoint } from '../../../src/clip/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { writeSafetensors } from '../../../src/clip/checkpoint/safetensors-writer.js';
import { InputError } from '../../../src/errors.js';
import { concat, join, littleEndian } from '../../support/bytes.js';

export { concat, littleEndian };

const FIXTURES = path.join(import.meta.dirname, '../../fixtures');

export function fixturePath(name: string): string {
  return path.join(FIXTURES, name);
}

export function fixtureBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(fixturePath(name)));
}

export function openFixture(name: string): Promise<Checkpoint> {
  return openCheckpoint(bytesSource(name, fixtureBytes(name)));
}

/** A safetensors file with `header` as it is, well-formed or not, and `dataBytes` bytes of 0, 1, 2, ... */
export function rawSafetensors(header: string | object, dataBytes: number): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  return concat(
    littleEndian(json.length, 8),
    json,
    Uint8Array.from({ length: dataBytes }, (_, i) => i),
  );
}

/** A well-formed safetensors file of F32 tensors. */
export async function safetensorsOf(
  tensors: Readonly<Record<string, { shape: number[]; values: ArrayLike<number> }>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(tensors).map(([name, { shape, values }]) => ({
    name,
    shape,
    dtype: 'F32' as const,
    read: () => new Uint8Array(Float32Array.from(values).buffer),
  }));
  const collect = collector();
  await writeSafetensors(entries, new Map(), collect.sink);
  return collect.bytes();
}

/** A sink that keeps everything, and the size of the largest chunk. */
export function collector() {
  const chunks: Uint8Array[] = [];
  return {
    sink: (chunk: Uint8Array): void => void chunks.push(chunk.slice()),
    largest: () => Math.max(...chunks.map((chunk) => chunk.length)),
    bytes: () => join(chunks),
  };
}

/** Counts what is read from `source`. */
export function counting(source: ByteSource): ByteSource & { total: number; largest: number } {
  const counter = {
    name: source.name,
    size: source.size,
    total: 0,
    largest: 0,
    read: (offset: number, length: number) => {
      counter.total += length;
      counter.largest = Math.max(counter.largest, length);
      return source.read(offset, length);
    },
  };
  return counter;
}

/** Expects an `InputError` with a one-line message that matches every pattern. */
export async function expectInputError(action: Promise<unknown> | (() => unknown), ...patterns: (string | RegExp)[]) {
  let error: unknown;
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).not.toContain('\n');
  expect(message.length).toBeLessThan(700);
  for (const pattern of patterns) expect(message).toMatch(pattern);
}
