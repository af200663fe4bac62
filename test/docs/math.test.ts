/** Equations of the pages: what is one, and that each can be typeset. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inlineMath, mathml } from '../../docs/.vitepress/math.js';

const docs = new URL('../../docs', import.meta.url).pathname;
const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.md') && !/^(api|source)\b/.test(name),
);

/** The formulas of a page, in blocks and in lines, as the site finds them outside of code. */
function formulasOf(page: string): { tex: string; display: boolean }[] {
  const text = readFileSync(join(docs, page), 'utf8').replace(/^(`{3,})[\s\S]*?^\1$/gm, '');
  const blocks = [...text.matchAll(/^\$\$\n([\s\S]*?)\n\$\$$/gm)].map(([, tex]) => ({ tex: tex!, display: true }));
  const prose = text
    .replace(/^\$\$\n[\s\S]*?\n\$\$$/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`]*`/g, '');
  const inline: { tex: string; display: boolean }[] = [];
  for (let at = prose.indexOf('$'); at >= 0; at = prose.indexOf('$', at + 1)) {
    const found = inlineMath(prose, at);
    if (!found) continue;
    inline.push({ tex: found.tex, display: false });
    at = found.end - 1;
  }
  return [...blocks, ...inline];
}

describe('equations', () => {
  it.each([
    ['$x$', 'x'],
    ['$p_{ij}$, and', 'p_{ij}'],
    ['$5 and $6', undefined],
    ['$ x$', undefined],
    ['$x $', undefined],
    ['$x$2', undefined],
    ['$$', undefined],
  ])('%s', (text, tex) => {
    expect(inlineMath(text, 0)?.tex).toBe(tex);
  });

  const withMath = pages.filter((page) => formulasOf(page).length > 0);

  it('are on the pages that derive something', () => {
    expect(withMath).toEqual(
      expect.arrayContaining(['method.md', 'reading-guide.md', 'kernels/derivations/layer-norm.md']),
    );
  });

  it.each(withMath)('%s can be typeset', (page) => {
    for (const { tex, display } of formulasOf(page)) expect(mathml(tex, display), tex).toMatch(/^<math v-pre/);
  });

  it('what is no LaTeX is refused', () => {
    expect(() => mathml('\\frac{1', false)).toThrow('Unexpected end of input');
  });
});
