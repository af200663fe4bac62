import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseBytes, parseInteger, parsePositive, parseSeed } from '../../src/cli/options.js';

test.each([
  ['1GiB', 2 ** 30],
  ['512MiB', 512 * 2 ** 20],
  ['1.5 gb', 1.5e9],
  ['0.5KiB', 512],
  ['7B', 7],
  ['2 TiB', 2 ** 41],
])('%s is %d bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(['', 'GiB', '1 GiB free', '-1GiB', '0B', '0.1B', '1e9', 'Infinity', '1PiB', '99999999TiB', '1..5GB'])(
  '"%s" is no size',
  (text) => {
    expect(() => parseBytes(text)).toThrow(InvalidArgumentError);
    expect(() => parseBytes(text)).toThrow('Expected a size such as 512MiB or 1GiB.');
  },
);

test.each(['512', '0', '1.5'])('%s lacks its unit', (text) => {
  expect(() => parseBytes(text)).toThrow(`Expected a size with its unit: ${text}MiB, or ${text}B for bytes.`);
});

test('numbers', () => {
  expect([parseInteger()('12'), parseInteger(0)('0'), parseSeed('4294967295'), parsePositive('1e-3')]).toEqual([
    12, 0, 4294967295, 0.001,
  ]);
  for (const text of ['0', '-1', '1.5', 'x', '', '1e3', '0x10']) {
    expect(() => parseInteger()(text)).toThrow('Expected a whole number from 1.');
  }
  expect(() => parseInteger(1, 4)('5')).toThrow('Expected a whole number from 1 to 4.');
  expect(() => parseSeed('4294967296')).toThrow('from 0 to 4294967295');
  for (const text of ['0', '-1', '', ' ', 'NaN', 'Infinity', 'x']) {
    expect(() => parsePositive(text)).toThrow('Expected a number above 0.');
  }
});
