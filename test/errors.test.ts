import { expect, test } from 'vitest';
import { quoted } from '../src/clip/checkpoint/quoted.js';
import { InputError } from '../src/errors.js';

test('a message is one line, whatever is in the names that it quotes', () => {
  expect(new InputError('a\nb.jpg: \u001b[31mred\u2028\u0085\u202e').message).toBe(
    'a\\u000ab.jpg: \\u001b[31mred\\u2028\\u0085\\u202e',
  );
  expect(new InputError('Grüße/日本 😀.jpg: gone').message).toBe('Grüße/日本 😀.jpg: gone');
});

test('values from files are quoted briefly, however they are made', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(quoted(deep)).toBe('a value that cannot be shown');
  const circular: unknown[] = [];
  circular.push(circular);
  expect(quoted(circular)).toBe('a value that cannot be shown');
  expect(quoted({ toString: 1, valueOf: 1 })).toBe('{"toString":1,"valueOf":1}');
  expect([quoted(undefined), quoted(12n), quoted('a\n')]).toEqual(['undefined', '12', '"a\\n"']);
  expect(quoted('x'.repeat(1e6))).toHaveLength(123);
});
