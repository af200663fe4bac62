/** Names of image files in lists. */
import { expect, test } from 'vitest';
import { imageNameInLine } from '../../../src/clip/image/formats.js';

test.each([
  ['anger/1.jpg', 'anger/1.jpg'],
  ['  anger/my image.JPG 0.5 0.25', 'anger/my image.JPG'],
  ['a.png b.webp\t3', 'a.png b.webp'],
  ['a.jpg.txt', undefined],
  ['.jpg', undefined],
  ['', undefined],
  ['a.jpgx 1', undefined],
])('the name in %j is %j', (line, name) => {
  expect(imageNameInLine(line)).toBe(name);
});

test('a line of white space, or of extensions, is read in linear time', () => {
  // A pattern that backtracks takes minutes for these.
  expect(imageNameInLine(`${' '.repeat(200_000)}x`)).toBeUndefined();
  expect(imageNameInLine(`a${' '.repeat(200_000)}b`)).toBeUndefined();
  expect(imageNameInLine('.jpg'.repeat(100_000))?.length).toBe(400_000);
  expect(imageNameInLine(`${'.jpg'.repeat(100_000)}x`)).toBeUndefined();
});
