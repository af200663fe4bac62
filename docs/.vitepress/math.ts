/**
 * Equations, written in LaTeX as repository viewers take them, `$x$` in a line and `$$` around a block, become MathML while the site is
 * built: browsers typeset that without a script.
 */
import temml from 'temml';
import type { MarkdownRenderer } from 'vitepress';

/** Adds both rules. */
export function typesetMath(md: MarkdownRenderer): void {
  md.inline.ruler.before('escape', 'math', (state, silent) => {
    const found = inlineMath(state.src, state.pos, state.posMax);
    if (!found) return false;
    if (!silent) state.push('math_inline', 'math', 0).content = found.tex;
    state.pos = found.end;
    return true;
  });
  md.block.ruler.before(
    'fence',
    'math',
    (state, from, to, silent) => {
      const line = (n: number) => state.src.slice(state.bMarks[n]! + state.tShift[n]!, state.eMarks[n]);
      if (state.sCount[from]! - state.blkIndent >= 4 || !line(from).startsWith('$$')) return false;
      let last = from;
      const text = () => state.getLines(from, last + 1, state.tShift[from]!, false).trim();
      while (text().length < 4 || !text().endsWith('$$')) if (++last >= to) return false;
      if (silent) return true;
      const token = state.push('math_block', 'math', 0);
      token.content = text().slice(2, -2).trim();
      token.map = [from, last + 1];
      state.line = last + 1;
      return true;
    },
    { alt: ['paragraph', 'blockquote', 'list'] },
  );
  md.renderer.rules.math_inline = (tokens, i) => mathml(tokens[i]!.content, false);
  md.renderer.rules.math_block = (tokens, i) => `<div class="math">${mathml(tokens[i]!.content, true)}</div>\n`;
}

/**
 * The formula that begins at `from`, and where it ends. As on GitHub a dollar sign next to a space, or before a digit where it would
 * close, is a dollar sign.
 */
export function inlineMath(text: string, from: number, to = text.length): { tex: string; end: number } | undefined {
  const [, tex] = /^\$([^\s$](?:[^$]*[^\s$\\])?)\$(?![\d$])/.exec(text.slice(from, to)) ?? [];
  return tex === undefined ? undefined : { tex, end: from + tex.length + 2 };
}

/** The markup of a formula. Throws ParseError if it is no LaTeX. Vue takes it as it is. */
export function mathml(tex: string, display: boolean): string {
  return temml.renderToString(tex, { displayMode: display, throwOnError: true }).replace('<math', '<math v-pre');
}
