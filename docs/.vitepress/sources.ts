/** The files and folders of the repository that the pages link to, for pages that show them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { sourcePath, type Target, targetOf } from './links.js';

/** A path of the repository and its page's text. */
export interface SourcePage {
  readonly path: string;
  readonly content: string;
}

/** Larger files, and generated ones, are listed and not shown. */
const MOST_BYTES = 100_000;

/** Folders of docs/ that hold no pages of ours. */
const NO_PAGES = ['api', 'source', '.vitepress'];

const LANGUAGES: Readonly<Record<string, string>> = { '.mjs': 'js', '.sbatch': 'bash', '.yaml': 'yaml' };

/** Files of docs/ that the pages link to and that are copied as they are, by their paths in docs/. */
export function copiedFiles(root: string): string[] {
  const copied = linked(root).flatMap((target) => (target.kind === 'copied' ? [target.path] : []));
  return [...new Set(copied)].filter((path) => existsSync(join(root, 'docs', path)));
}

/** A page for everything that is linked, and for everything in a linked folder. */
export function sourcePages(root: string): SourcePage[] {
  const paths = new Set<string>();
  const add = (path: string): void => {
    const file = join(root, path);
    // What is not there is left for the check on dead links.
    if (paths.has(path) || !existsSync(file)) return;
    if (!statSync(file).isDirectory()) {
      if (shown(file)) paths.add(path);
      return;
    }
    paths.add(path);
    for (const name of readdirSync(file)) add(posix.join(path, name));
  };
  for (const target of linked(root)) if (target.kind === 'source') add(target.path);
  return [...paths].sort().map((path) => ({ path, content: contentOf(root, path) }));
}

/** Where all links of all pages lead. */
function linked(root: string): Target[] {
  return pagesBelow(join(root, 'docs')).flatMap((page) => {
    const text = readFileSync(join(root, 'docs', page), 'utf8');
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, href]) => targetOf(href!, page) ?? []);
  });
}

/** Markdown files below a folder, by their paths in it. */
function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md') && !NO_PAGES.includes(name.split('/')[0]!));
}

function shown(file: string): boolean {
  return statSync(file).size <= MOST_BYTES && !file.includes('.generated.');
}

function contentOf(root: string, path: string): string {
  const file = join(root, path);
  const title = `# \`${path}\``;
  if (statSync(file).isDirectory()) {
    const items = readdirSync(file).map((name) => {
      const inside = join(file, name);
      return statSync(inside).isDirectory() || shown(inside)
        ? `- [\`${name}\`](/${sourcePath(`${path}/${name}`)})`
        : `- \`${name}\`, too long or generated`;
    });
    return `${title}\n\n${items.join('\n')}\n`;
  }
  const text = readFileSync(file, 'utf8').trimEnd();
  // A fence longer than any in the file.
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  const extension = extname(path);
  return `${title}\n\n${fence}${LANGUAGES[extension] ?? extension.slice(1)}:line-numbers\n${text}\n${fence}\n`;
}
