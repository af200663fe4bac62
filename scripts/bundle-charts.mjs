// Puts the parts of ECharts that the reports use into dist/report/svg.js, the one module that imports it, so that users do not install the
// other 61 MB of it. The licences of what is bundled lie beside it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const file = `${root}dist/report/svg.js`;

const { metafile } = await build({
  entryPoints: [file],
  outfile: file,
  allowOverwrite: true,
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
// Of what the compiler wrote before.
rmSync(`${file}.map`, { force: true });

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(path) ?? []),
);
const licences = [...packages].flatMap((folder) =>
  readdirSync(root + folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|notice|copyright)/i.test(entry.name))
    .map(({ name }) => `${folder}${name}\n\n${readFileSync(root + folder + name, 'utf8')}`),
);
writeFileSync(`${root}dist/report/svg.licences.txt`, licences.join(`\n${'-'.repeat(80)}\n\n`));
