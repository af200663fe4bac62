/** How the page is built: `npm run build:web` into `web/dist`, all of it with addresses relative to the page's own. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin, type Rolldown } from 'vite';
import { COLORS } from '../src/report/page/style.js';
import { linksOf, type PackageAddresses } from './links.js';
import { HEADERS, PAGE_POLICY } from './policy.js';

const SERVICE_WORKER = 'service-worker';
const here = (path: string) => new URL(path, import.meta.url).pathname;
const links = linksOf(JSON.parse(readFileSync(here('../package.json'), 'utf8')) as PackageAddresses);

export default defineConfig({
  base: './',
  define: {
    'import.meta.env.VITE_HOMEPAGE': `${JSON.stringify(links.homepage)}`,
    'import.meta.env.VITE_REPOSITORY': `${JSON.stringify(links.repository)}`,
  },
  // The demonstration's model lies beside this folder.
  server: { fs: { allow: ['..'] }, headers: isolation() },
  preview: { headers: HEADERS },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // ECharts, which is loaded when the first chart is shown.
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      input: { index: here('index.html'), [SERVICE_WORKER]: here(`${SERVICE_WORKER}.ts`) },
      // A service worker keeps its address, by which browsers know it again.
      output: { entryFileNames: ({ name }) => (name === SERVICE_WORKER ? '[name].js' : 'assets/[name]-[hash].js') },
    },
  },
  worker: { format: 'es' },
  plugins: [reportColors(), policy(), onlyWhatIsUsed(), offline()],
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

/** Leaves out WebAssembly of code that was left out: the JPEG encoder's. */
function onlyWhatIsUsed(): Plugin {
  return {
    name: 'only-what-is-used',
    apply: 'build',
    generateBundle(_, bundle) {
      const code = Object.values(bundle).map(textOf).join('\n');
      for (const file of Object.keys(bundle)) {
        if (file.endsWith('.wasm') && !code.includes(file.slice(file.lastIndexOf('/') + 1))) delete bundle[file];
      }
    },
  };
}

/** Gives the service worker its list of files. Comes last, when all files are known. */
function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[`${SERVICE_WORKER}.js`];
        if (worker?.type !== 'chunk') throw new Error('no service worker was built');
        const kept = Object.values(bundle).filter(
          ({ fileName }) => fileName !== worker.fileName && fileName !== '_headers',
        );
        const files = [
          ...kept.map(({ fileName }) => `./${fileName}`),
          ...readdirSync(here('public')).map((name) => `./${name}`),
        ];
        const hash = createHash('sha256').update(worker.code);
        for (const output of kept) hash.update(output.type === 'chunk' ? output.code : output.source);
        worker.code = worker.code
          .replaceAll('__FILES__', JSON.stringify(files.sort()))
          .replaceAll('__VERSION__', JSON.stringify(hash.digest('hex').slice(0, 12)));
      },
    },
  };
}

function textOf(output: Rolldown.OutputAsset | Rolldown.OutputChunk): string {
  if (output.type === 'chunk') return output.code;
  return typeof output.source === 'string' ? output.source : '';
}
