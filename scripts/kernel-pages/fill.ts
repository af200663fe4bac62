/** Brings the marked blocks of docs/kernels up to date: `npm run pages`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillPage } from './blocks.js';
import { pagesOf, sourcesOf } from './pages.js';

const root = process.cwd();
const sources = await sourcesOf(root);
for (const file of pagesOf(root)) {
  const page = readFileSync(file, 'utf8');
  const filled = fillPage(page, sources);
  if (filled === page) continue;
  writeFileSync(file, filled);
  console.log(file);
}
