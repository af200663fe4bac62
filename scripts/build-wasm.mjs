/**
 * Compiles the AssemblyScript sources (assembly/ folders) into `*.generated.ts` files that hold the binaries. `--check` compares
 * instead of writing, and exits with 1 if a file is not what its source gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
/** Number of the data section. */
const DATA = 11;

const KERNELS = 'src/kernels/cpu/wasm/assembly/index.ts';
await generate('src/kernels/cpu/wasm/binaries.generated.ts', KERNELS, await kernels());

const RESAMPLE = 'src/clip/image/assembly/resample.ts';
await generate('src/clip/image/resample.generated.ts', RESAMPLE, await resample());

/** Two binaries from one source, with and without relaxed SIMD. */
async function kernels() {
  const baseline = await compileSharable([]);
  const relaxed = await compileSharable(['--enable', 'relaxed-simd']);
  return `/** Made by scripts/build-wasm.mjs from assembly/; do not edit. */

/** With fixed-width SIMD (${baseline.bytes.length} bytes). */
export const baseline =
  '${Buffer.from(baseline.bytes).toString('base64')}';

/** With relaxed SIMD too (${relaxed.bytes.length} bytes). */
export const relaxed =
  '${Buffer.from(relaxed.bytes).toString('base64')}';

/** Where in each binary stands the byte that declares its memory shared. */
export const sharedFlagAt = { baseline: ${baseline.sharedFlagAt}, relaxed: ${relaxed.sharedFlagAt} };
`;
}

async function resample() {
  const bytes = await runCompiler(RESAMPLE, ['--initialMemory', '1']);
  return `/** Made by scripts/build-wasm.mjs from assembly/resample.ts; do not edit. */

/** With fixed-width SIMD (${bytes.length} bytes). */
export const resample =
  '${Buffer.from(bytes).toString('base64')}';
`;
}

async function generate(path, source, text) {
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
    console.log(`${path}: written`);
  } else if ((await readFile(path, 'utf8')) !== text) {
    console.error(`${path} is not what ${source} compiles to: run node scripts/build-wasm.mjs`);
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
