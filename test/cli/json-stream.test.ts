import { expect, test, vi } from 'vitest';
import { JsonStream, printJson } from '../../src/cli/output.js';

/** What `body` prints, chunk by chunk. */
function printed(body: () => void): string[] {
  const chunks: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    chunks.push(String(chunk));
    return true;
  });
  try {
    body();
  } finally {
    write.mockRestore();
  }
  return chunks;
}

test('a list whose items are printed as they come is the same document', () => {
  const items = [
    { path: 'a\n.jpg', probabilities: { awe: 0.5, fear: 0.5 } },
    { path: 'b.jpg', numbers: [1, 2] },
  ];
  for (const some of [items, items.slice(1), []]) {
    const whole = printed(() => printJson({ run: 'r', predictions: some, skipped: [], truncated: ['c'] }));
    const parts = printed(() => {
      const stream = new JsonStream({ run: 'r' }, 'predictions');
      for (const item of some) stream.add([item]);
      stream.end({ skipped: [], truncated: ['c'] });
    });
    expect(parts.join('')).toBe(whole.join(''));
  }
  const before = printed(() => new JsonStream({}, 'list').add([1]));
  expect(before.join('')).toContain('1');
});
