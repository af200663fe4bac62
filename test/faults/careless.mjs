/** A program that writes its output under the final name, bit by bit. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

mkdirSync('model', { recursive: true });
for (let i = 0; i < 100; i++) {
  appendFileSync('model/weights', Buffer.alloc(1000, i));
  await setTimeout(5);
}
