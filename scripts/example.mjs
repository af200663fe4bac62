// Runs an example as a user of the built package would: bundled with its neighbours, while `ptdpc` stays the package itself.
//
//     node scripts/example.mjs NAME
import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const [name] = process.argv.slice(2);
/** What examples share, which is none itself. */
const HELPERS = ['scenes'];
const names = (await readdir(`${root}examples`))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .filter((one) => !HELPERS.includes(one));
if (!names.includes(name)) {
  const problem = name === undefined ? 'which example?' : `no example ${name};`;
  console.error(`npm run example -- NAME: ${problem} expected one of ${names.join(', ')}`);
  process.exit(2);
}
// Inside the repository, where `ptdpc` is this package.
const outfile = `${root}.cache/examples/${name}.mjs`;
await build({
  entryPoints: [`${root}examples/${name}.ts`],
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  packages: 'external',
  // Without ours, which takes `ptdpc` for the sources.
  tsconfigRaw: '{}',
  outfile,
  logLevel: 'warning',
});
// What the example reads as its own path.
process.argv[1] = outfile;
await import(pathToFileURL(outfile).href);
