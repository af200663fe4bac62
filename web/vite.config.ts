/** How the page is built: `npm run build:web` into `web/dist`, all of it with addresses relative to the page's own. */
import { defineConfig, type Plugin } from 'vite';
import { COLORS } from '../src/report/page/style.js';
import { HEADERS, PAGE_POLICY } from './policy.js';

export default defineConfig({
  base: './',
  // The demonstration's model lies beside this folder.
  server: { fs: { allow: ['..'] }, headers: isolation() },
  preview: { headers: HEADERS },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  plugins: [reportColors(), policy()],
});

/** While developing, Vite's own scripts and styles are inline, which the policy refuses. */
function isolation(): Record<string, string> {
  return Object.fromEntries(Object.entries(HEADERS).filter(([name]) => name.startsWith('Cross-Origin-')));
}

/** The colours of the reports, which their charts use. */
function reportColors(): Plugin {
  const name = 'virtual:colors.css';
  return {
    name: 'report-colors',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => (id === `\0${name}` ? COLORS : undefined),
  };
}

/** The policy in the page itself, for servers that send no headers of ours; and the headers, for those that read them from a file. */
function policy(): Plugin {
  return {
    name: 'policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: PAGE_POLICY },
        injectTo: 'head-prepend',
      },
    ],
    generateBundle() {
      const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}`);
      this.emitFile({ type: 'asset', fileName: '_headers', source: ['/*', ...lines, ''].join('\n') });
    },
  };
}
