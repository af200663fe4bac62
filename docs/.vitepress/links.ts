/**
 * Links of the pages as a repository viewer follows them, turned into links of the site: to another page; to a page that shows a source
 * file or folder (`docs/source/[path].md`); or to a file that is copied as it is.
 */
import { posix } from 'node:path';

/** Whether the site has a file of docs/ as it is: a whole page, data, or a figure. */
export function isCopied(path: string): boolean {
  return /\.(html|json|svg)$/.test(path);
}

/** Where a link leads: a page of docs/, a path of the repository to be shown, or a file that is copied. */
export type Target =
  | { readonly kind: 'page' | 'copied'; readonly path: string; readonly hash: string }
  | { readonly kind: 'source'; readonly path: string; readonly hash: string };

/** The target of a link on a page, both below docs/; undefined where it stays on the page or leaves the repository. */
export function targetOf(href: string, page: string): Target | undefined {
  if (/^([a-z][a-z+.-]*:|#|\/)/i.test(href)) return undefined;
  const at = href.indexOf('#');
  const hash = at < 0 ? '' : href.slice(at);
  const file = decodeURI(at < 0 ? href : href.slice(0, at));
  const path = posix.join('docs', posix.dirname(page), file);
  const below = path.startsWith('docs/') ? path.slice('docs/'.length) : undefined;
  if (below?.endsWith('.md')) return { kind: 'page', path: below, hash };
  if (below !== undefined && isCopied(below)) return { kind: 'copied', path: below, hash };
  return { kind: 'source', path: path.replace(/\/$/, ''), hash };
}

/** A README is what its folder shows, on the site as in a repository viewer. */
export function pagePath(path: string): string {
  return path.replace(/(^|\/)README\.md$/, '$1index.md');
}

/** The page that shows a source file or folder, below docs/. What VitePress takes for a page's own ending is no ending here. */
export function sourcePath(path: string): string {
  return `source/${sourceName(path)}.md`;
}

/** The same without folder and ending. */
export function sourceName(path: string): string {
  return path.replace(/\.(md|html)$/, '-$1');
}

/** The name of a heading in an address, as repository viewers make it: `#4-four-elements`. */
export function headingName(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** What a link becomes. */
export function siteLink(target: Target, page: string): string {
  // Of lines of a file, the first.
  if (target.kind === 'source') return `/${sourcePath(target.path)}${target.hash.replace(/^(#L\d+)-L\d+$/, '$1')}`;
  if (target.kind === 'page') return `/${pagePath(target.path)}${target.hash}`;
  return `${'../'.repeat(page.split('/').length - 1) || './'}${target.path}${target.hash}`;
}
