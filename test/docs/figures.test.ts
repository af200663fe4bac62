/** The figures of the pages: for both colour schemes, said in words too, and about files that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isCopied, targetOf } from '../../docs/.vitepress/links.js';

const root = new URL('../..', import.meta.url).pathname;
const below = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
const pages = below('docs', '.md').filter((name) => !/^(api|source)\b/.test(name));
const images = pages.flatMap((page) =>
  [...readFileSync(join(root, 'docs', page), 'utf8').matchAll(/!\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g)].map(
    ([, text, href]) => ({
      page,
      text: text!,
      path: targetOf(href!, page)!.path,
    }),
  ),
);

describe('figures', () => {
  it.each(images)('$path on $page is there, and told in words', ({ text, path }) => {
    expect(isCopied(path)).toBe(true);
    expect(existsSync(join(root, 'docs', path)), path).toBe(true);
    expect(text.split(' ').length).toBeGreaterThan(10);
  });

  it.each(below('docs/images', '.svg'))('%s suits both colour schemes, and names files that exist', (name) => {
    const svg = readFileSync(join(root, 'docs/images', name), 'utf8');
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).toMatch(/<title id="title">.+<\/title>\n<desc id="description">.+<\/desc>/);
    const files = [...svg.matchAll(/>((?:src|shaders)\/[\w./-]+\.\w+)</g)].map(([, file]) => file!);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(images.some(({ path }) => path === `images/${name}`)).toBe(true);
  });
});
