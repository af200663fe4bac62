/** The documentation as a static site: `npm run docs` serves it while it is written, `npm run docs:build` makes it. */
import { copyFileSync, createReadStream, mkdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { defineConfig } from 'vitepress';
import { headingName, pagePath } from './links.js';
import { addressLines, fenceIndented, rewriteLinks } from './markdown.js';
import { typesetMath } from './math.js';
import { sidebar } from './sidebar.js';
import { copiedFiles } from './sources.js';
import { linkSnippets } from './try-it.js';

/** The built site asks no other server for anything, and this makes browsers hold it to that. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
].join('; ');

/** Rows of a matrix, one of which was learned. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="#5672cd">' +
    '<path d="M1 1h14v2H1zM1 5h14v2H1zM1 13h14v2H1z" opacity=".45"/><path d="M1 9h14v2H1z"/></svg>',
)}`;

const docs = new URL('..', import.meta.url).pathname;
const copied = copiedFiles(join(docs, '..'));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

export default defineConfig({
  title: 'PT-DPC',
  description:
    'Prompt tuning of a frozen CLIP for image emotion classification, on WGSL compute kernels, in TypeScript.',
  lang: 'en-GB',
  rewrites: (id) => pagePath(id),
  markdown: {
    config: (md) => {
      rewriteLinks(md);
      fenceIndented(md);
      addressLines(md);
      typesetMath(md);
      linkSnippets(md);
    },
    anchor: { slugify: headingName },
    // The usual ones have comments and keywords with too little contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  head: [['link', { rel: 'icon', href: ICON }]],
  transformHead: () => [['meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }]],
  buildEnd: ({ outDir }) => {
    for (const file of copied) {
      mkdirSync(dirname(join(outDir, file)), { recursive: true });
      copyFileSync(join(docs, file), join(outDir, file));
    }
  },
  vite: {
    // The engine's own configuration is not meant for this.
    configFile: false,
    publicDir: false,
    build: { chunkSizeWarningLimit: 4096 },
    plugins: [
      {
        name: 'copied-files',
        configureServer({ middlewares }) {
          for (const file of copied) {
            middlewares.use(`/${file}`, (_, response) => {
              response.setHeader('Content-Type', `${TYPES[extname(file)]}; charset=utf-8`);
              createReadStream(join(docs, file)).pipe(response);
            });
          }
        },
      },
    ],
  },
  themeConfig: {
    sidebar,
    nav: [
      // The built page, which docs:build puts there: no page of this site's own.
      { text: 'Try it', link: '/play/index.html', target: '_self' },
      { text: 'Reading guide', link: '/reading-guide' },
      { text: 'Kernels', link: '/kernels/' },
      { text: 'Experiments', link: '/experiments/' },
      { text: 'Reference', link: '/api/ptdpc/' },
    ],
    outline: { level: [2, 3] },
    search: { provider: 'local' },
  },
});
