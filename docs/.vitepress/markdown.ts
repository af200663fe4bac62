/** What the site does to Markdown that a repository viewer does by itself, or does otherwise. */
import type { MarkdownRenderer } from 'vitepress';
import { siteLink, targetOf } from './links.js';

/** Adds the rule. It comes before VitePress's own, which makes addresses of what this one leaves, and finds dead ones. */
export function rewriteLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath;
    if (page === undefined || page.startsWith('source/')) return;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      const target = href === null ? undefined : targetOf(href, page);
      if (!target) continue;
      token.attrSet('href', siteLink(target, page));
      // With a target, a link is followed by the browser and not by the site's router, which knows pages only.
      if (target.kind === 'copied') token.attrSet('target', '_self');
    }
  });
}

/** Blocks that are indented instead of fenced look as others do, and scroll by themselves where they are wide. */
export function fenceIndented(md: MarkdownRenderer): void {
  const { rules } = md.renderer;
  rules.code_block = (tokens, index, options, env, self) => {
    tokens[index]!.info = 'txt';
    return rules.fence!(tokens, index, options, env, self);
  };
}

/** Lines of the pages that show source files have addresses, as in a repository viewer: `#L12`. */
export function addressLines(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence!;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const html = fence(tokens, index, options, env, self);
    if (!(env as { relativePath?: string }).relativePath?.startsWith('source/')) return html;
    let line = 0;
    return html.replaceAll('<span class="line', () => `<span id="L${++line}" class="line`);
  };
}
