import { expect, test } from 'vitest';
import { float32FromBfloat16 } from '../../../src/clip/checkpoint/dtype.js';

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

test('bfloat16 is the upper half of a binary32, for all 65,536 of them', () => {
  const bits = new Uint32Array(float32FromBfloat16(ALL).buffer);
  expect(bits.every((word, i) => word === (i << 16) >>> 0)).toBe(true);
});
