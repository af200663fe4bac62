/** A page for each source file or folder that a page links to. */
import { sourceName } from '../.vitepress/links.js';
import { sourcePages } from '../.vitepress/sources.js';

const root = new URL('../..', import.meta.url).pathname;

export default {
  paths: () => sourcePages(root).map(({ path, content }) => ({ params: { path: sourceName(path) }, content })),
};
