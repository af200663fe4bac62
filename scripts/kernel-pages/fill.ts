/** Brings the marked blocks of the pages, and the charts, up to date: `npm run pages`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chartsOf, fillPage } from './blocks.js';
import { pagesOf, sourcesOf } from './pages.js';

const root = process.cwd();
const sources = await sourcesOf(root);
for (const file of pagesOf(root)) {
  const page = readFileSync(file, 'utf8');
  write(file, fillPage(page, sources));
  for (const [path, chart] of chartsOf(page, sources)) write(join('docs', path), chart);
}

/** Writes what has changed, and says so. */
function write(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(file);
}
