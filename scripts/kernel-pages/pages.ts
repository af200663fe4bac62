/** The pages with generated blocks and what fills them, read from the repository. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from '../../src/clip/config.js';
import { recordJob } from '../../src/lab/index.js';
import type { Sources } from './blocks.js';
import { commandReference } from './commands.js';
import type { Figures } from './figures.js';

/** Pages outside of docs/kernels with such blocks. */
const OTHERS = ['method', 'learners', 'commands', 'reading-guide', 'gpu-estimate', 'examples'];

/** The files of the pages, below the repository's root. */
export function pagesOf(root: string): string[] {
  const folder = 'docs/kernels';
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return [...names.map((name) => `${folder}/${name}`), ...OTHERS.map((name) => `docs/${name}.md`)];
}

/** Figures, recorded shapes and sources. Takes about two seconds. */
export async function sourcesOf(root: string): Promise<Sources> {
  const source = (path: string) => readFileSync(join(root, path), 'utf8');
  const config = ARCHITECTURES.get('ViT-B/32')!;
  return {
    figures: JSON.parse(source('docs/kernels/figures.json')) as Figures,
    shapes: { embed: await recordJob('embed', config), train: await recordJob('train', config) },
    commands: await commandReference(),
    source,
  };
}
