// Writes an apt source for a Debian release's backports, on the mirror and with the key that this machine already uses.
//
//     node scripts/backports-source.mjs CODENAME APT_DIRECTORY OUTPUT_DIRECTORY
//
// Reads both formats of sources.list(5), one-line (`*.list`) and deb822 (`*.sources`), and writes `backports.list` or
// `backports.sources` in the one that it found. Writes nothing where backports are configured already; exits with 1 and a line
// where no mirror of the release is.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';

// apt reads no other ending, so a file that was set aside as `x.list.disabled` stays out.
const parsers = { '.list': oneLineSources, '.sources': deb822Sources };

/** `deb [option=value ...] URI suite component ...` of every enabled line. */
function oneLineSources(text) {
  return [...text.matchAll(/^[ \t]*deb[ \t]+(\[[^\]]*\][ \t]+)?([a-z][a-z0-9+]*:\S+)[ \t]+(\S+)/gim)].map(
    ([, options = '', uri, suite]) => ({
      suites: [suite],
      withSuite: (other) => `deb ${options}${uri} ${other} main\n`,
    }),
  );
}

/** Stanzas of fields. A value is kept raw, with its continuation lines: `Signed-By` may hold a whole key. */
function deb822Sources(text) {
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .map((stanza) => [...stanza.matchAll(/^([\w-]+):(.*(?:\n[ \t].*)*)/gm)])
    .map((fields) => new Map(fields.map(([, name, value]) => [name.toLowerCase(), value])))
    .filter((fields) => words(fields.get('types')).includes('deb') && words(fields.get('enabled'))[0] !== 'no')
    .map((fields) => ({
      suites: words(fields.get('suites')),
      withSuite: (other) => {
        const changed = new Map([...fields, ['types', ' deb'], ['suites', ` ${other}`], ['components', ' main']]);
        return [...changed].map(([name, value]) => `${name}:${value}\n`).join('');
      },
    }));
}

function words(value = '') {
  return value.split(/\s+/).filter(Boolean);
}

function readSources(directory) {
  const parts = join(directory, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  return [join(directory, 'sources.list'), ...names.map((name) => join(parts, name))]
    .filter((path) => extname(path) in parsers && existsSync(path))
    .flatMap((path) => {
      const ending = extname(path);
      return parsers[ending](readFileSync(path, 'utf8')).map((source) => ({ ...source, ending }));
    });
}

const [codename, aptDirectory, outputDirectory] = process.argv.slice(2);
const sources = readSources(aptDirectory);
const findSuite = (suite) => sources.find(({ suites }) => suites.includes(suite));
const backports = `${codename}-backports`;
if (!findSuite(backports)) {
  // A mirror carries every release, so one that is named by its standing serves as well.
  const mirror = findSuite(codename) ?? findSuite('stable') ?? findSuite('oldstable');
  if (mirror) {
    writeFileSync(join(outputDirectory, `backports${mirror.ending}`), mirror.withSuite(backports));
  } else {
    console.error(`${aptDirectory}: no apt source of ${codename} to take a mirror from`);
    process.exitCode = 1;
  }
}
