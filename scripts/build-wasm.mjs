/**
 * Compiles the AssemblyScript sources (assembly/ folders) into `*.generated.ts` files that hold the binaries, after it has written the
 * part of the kernels' source that `layout.mjs` describes. `--check` compares instead of writing, and exits with 1 if a file is not what
 * its source gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { CONSTANTS, ENUMS, NUMBERS, RECORDS, TILES } from '../src/kernels/cpu/wasm/layout.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
/** Number of the data section. */
const DATA = 11;

const LAYOUT = 'src/kernels/cpu/wasm/layout.mjs';
await generate('src/kernels/cpu/wasm/layout.generated.ts', LAYOUT, layoutOfHost());
await generate('src/kernels/cpu/wasm/assembly/layout.generated.ts', LAYOUT, layoutOfCompiled());
const KERNELS = 'src/kernels/cpu/wasm/assembly/index.ts';
const TILES_ALONE = 'src/kernels/cpu/wasm/assembly/tiles.ts';
await generate('src/kernels/cpu/wasm/binaries.generated.ts', KERNELS, await kernels());

const RESAMPLE = 'src/clip/image/assembly/resample.ts';
await generate('src/clip/image/resample.generated.ts', RESAMPLE, await resample());

/** The layout in AssemblyScript: a class for each record. */
function layoutOfCompiled() {
  const text = ['/** Made by scripts/build-wasm.mjs from ../layout.mjs; do not edit. */\n'];
  for (const [name, value, about] of CONSTANTS) text.push(`/** ${about} */\nexport const ${name}: i32 = ${value};\n`);
  text.push('/** Whether this is the code for engines that fuse neighbouring vectors. */\n');
  text.push('export const WIDE: bool = isDefined(WIDE_TILE);\n');
  const { narrow, wide } = TILES;
  text.push(`export const TILE_ROWS: i32 = WIDE ? ${wide.rows} : ${narrow.rows};\n`);
  text.push(`export const TILE_COLUMNS: i32 = WIDE ? ${wide.columns} : ${narrow.columns};\n`);
  text.push(`export const GROUP: i32 = WIDE ? ${wide.group} : ${narrow.group};\n`);
  text.push('/** Bytes of a row of a packed panel of B, and of a column of a packed panel of A. */\n');
  text.push('export const PANEL_ROW: usize = TILE_COLUMNS * 4;\nexport const PANEL_COLUMN: usize = TILE_ROWS * 4;\n');
  text.push('/** Addresses of numbers that the host has written. */\nexport const enum Numbers {\n');
  for (const [at, name] of Object.keys(NUMBERS).entries()) text.push(`  ${name} = ${4 * at},\n`);
  text.push('}\n');
  for (const [name, names] of Object.entries(ENUMS)) text.push(`export const enum ${name} { ${names.join(', ')} }\n`);
  for (const [record, [about]] of Object.entries(RECORDS)) {
    const base = record !== 'Job' && record.endsWith('Job') ? ' extends Job' : '';
    text.push(`\n/** ${about} */\n// @ts-ignore: decorator\n@unmanaged\nexport class ${record}${base} {\n`);
    for (const { name, type, about } of fieldsOf(record).slice(base ? fieldsOf('Job').length : 0)) {
      if (about) text.push(`  /** ${about} */\n`);
      text.push(`  ${name}: ${['usize', 'f32', 'Kind'].includes(type) ? type : 'i32'};\n`);
    }
    text.push('}\n');
  }
  return text.join('');
}

/** The layout for the host: for each record what it is given and a function that writes it, or, if only threads change it, its words. */
function layoutOfHost() {
  const text = [
    '/** Made by scripts/build-wasm.mjs from layout.mjs, which says what everything means; do not edit. */\n',
    "import type { CpuHeap } from './heap.js';\n\n",
  ];
  for (const [name, value] of CONSTANTS) text.push(`export const ${name} = ${value};\n`);
  text.push(
    '\nexport interface Tile {\n  rows: number;\n  columns: number;\n  group: number;\n}\n\nexport const TILES = {\n',
  );
  for (const [name, { rows, columns, group }] of Object.entries(TILES))
    text.push(`  ${name}: { rows: ${rows}, columns: ${columns}, group: ${group} },\n`);
  text.push('} as const satisfies Record<string, Tile>;\n');
  text.push('\n/** What stands at the beginning of the heap, in this order. */\nexport const NUMBERS = {\n');
  for (const [name, value] of Object.entries(NUMBERS)) text.push(`  ${name}: ${Math.fround(value)},\n`);
  text.push('};\n');
  for (const [name, names] of Object.entries(ENUMS)) {
    text.push(`\nexport const ${name} = {\n`, ...names.map((one, at) => `  ${one}: ${at},\n`), '} as const;\n');
    text.push(`export type ${name} = keyof typeof ${name};\n`);
  }
  text.push('\nexport const BYTES = {\n');
  for (const record of Object.keys(RECORDS)) text.push(`  ${record}: ${4 * fieldsOf(record).length},\n`);
  text.push('} as const;\n');
  for (const record of Object.keys(RECORDS).filter((record) => record !== 'Job')) {
    const fields = fieldsOf(record);
    const given = fields.filter(({ type }) => type !== 'atomic');
    if (given.length === 0) {
      text.push(
        `\nexport const ${record} = {\n`,
        ...fields.map(({ name }, at) => `  ${name}: ${at},\n`),
        '} as const;\n',
      );
      continue;
    }
    text.push(
      `\nexport interface ${record} {\n`,
      ...given.map(({ name, type }) => `  ${name}: ${hostType(type)};\n`),
      '}\n',
    );
    text.push(`\nexport function write${record}(heap: CpuHeap, address: number, given: ${record}): void {\n`);
    text.push(`  const words = heap.i32(address, ${fields.length});\n`);
    for (const [at, { name, type }] of fields.entries()) text.push(`  ${assignment(at, name, type)};\n`);
    text.push('}\n');
  }
  return text.join('');
}

function fieldsOf(record) {
  const [, ...groups] = RECORDS[record];
  return groups.flatMap(([names, type, about]) =>
    names.split(' ').map((name, at) => ({ name, type, about: at === 0 ? about : undefined })),
  );
}

function hostType(type) {
  if (type in ENUMS) return ENUMS[type][0] === 'none' ? `${type} | undefined` : type;
  return { usize: 'number | undefined', flag: 'boolean | undefined' }[type] ?? 'number';
}

function assignment(at, name, type) {
  if (type === 'f32') return `heap.f32(address, ${at + 1})[${at}] = given.${name}`;
  if (type === 'atomic') return `words[${at}] = 0`;
  const value = { usize: `given.${name} ?? 0`, flag: `Number(given.${name} ?? false)` }[type] ?? `given.${name}`;
  if (!(type in ENUMS)) return `words[${at}] = ${value}`;
  return `words[${at}] = ${type}[given.${name}${ENUMS[type][0] === 'none' ? " ?? 'none'" : ''}]`;
}

/** From one source: without relaxed SIMD, with it, and with it and the wide tile; and the inner kernels alone. */
async function kernels() {
  const relaxedSimd = ['--enable', 'relaxed-simd'];
  const builds = {
    plain: await compileSharable([]),
    relaxed: await compileSharable(relaxedSimd),
    wide: await compileSharable([...relaxedSimd, '--use', 'WIDE_TILE=1']),
  };
  const text = ['/** Made by scripts/build-wasm.mjs from assembly/; do not edit. */\n\nexport const BUILDS = {\n'];
  for (const [name, { bytes, sharedFlagAt }] of Object.entries(builds)) {
    text.push(
      `  /** ${bytes.length} bytes; \`sharedFlagAt\` is where the byte stands that declares its memory shared. */\n`,
    );
    text.push(`  ${name}: {\n    sharedFlagAt: ${sharedFlagAt},\n    text: '${base64(bytes)}',\n  },\n`);
  }
  const tiles = await runCompiler(TILES_ALONE, [
    '--importMemory',
    '--noExportMemory',
    '--initialMemory',
    '1',
    ...relaxedSimd,
  ]);
  text.push(
    '};\n\n/** Both inner kernels with relaxed SIMD, to be timed. */\n',
    `export const tiles =\n  '${base64(tiles)}';\n`,
  );
  return text.join('');
}

function base64(bytes) {
  return Buffer.from(bytes).toString('base64');
}

async function resample() {
  const bytes = await runCompiler(RESAMPLE, ['--initialMemory', '1']);
  return `/** Made by scripts/build-wasm.mjs from assembly/resample.ts; do not edit. */

/** With fixed-width SIMD (${bytes.length} bytes). */
export const resample =
  '${base64(bytes)}';
`;
}

async function generate(path, source, text) {
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
    console.log(`${path}: written`);
  } else if ((await readFile(path, 'utf8')) !== text) {
    console.error(`${path} is not what ${source} gives: run node scripts/build-wasm.mjs`);
    process.exit(1);
  }
}

/** The binary for shared memory, and the position of the one byte in which the one for unshared memory differs. */
async function compileSharable(features) {
  const memory = ['--importMemory', '--noExportMemory', '--initialMemory', '1', '--maximumMemory', '65536'];
  const unsharedOptions = ['--enable', 'threads', ...memory, ...features];
  const bytes = await runCompiler(KERNELS, [...unsharedOptions, '--sharedMemory']);
  const unshared = await runCompiler(KERNELS, unsharedOptions);
  const different = [...bytes.keys()].filter((at) => bytes[at] !== unshared[at]);
  if (
    bytes.length !== unshared.length ||
    different.length !== 1 ||
    bytes[different[0]] !== 3 ||
    unshared[different[0]] !== 1
  ) {
    throw new Error('the binaries for shared and unshared memory differ in more than one byte');
  }
  return { bytes, sharedFlagAt: different[0] };
}

async function runCompiler(entry, more) {
  let binary;
  const options = [
    ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
    // AS112: vectors in the signature of a function; none is exported.
    ...['--disableWarning', '112', '--outFile', 'kernels.wasm'],
  ];
  const { error, stderr } = await asc.main([entry, ...options, ...more], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
  });
  if (error || !binary) throw new Error(`${error?.message ?? 'no output'}\n${stderr}`);
  // The heap begins where static data would lie.
  if (sections(binary).includes(DATA)) throw new Error('the binary has static data');
  return binary;
}

/** Numbers of a binary's sections (WebAssembly core specification, 5.5.2). */
function sections(bytes) {
  const numbers = [];
  for (let at = 8; at < bytes.length; ) {
    numbers.push(bytes[at++]);
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      more = (bytes[at] & 0x80) !== 0;
      size |= (bytes[at++] & 0x7f) << shift;
    }
    at += size;
  }
  return numbers;
}
