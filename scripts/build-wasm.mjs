/**
 * Compiles src/kernels/cpu/wasm/assembly into src/kernels/cpu/wasm/binaries.generated.ts: two binaries from one source, with and
 * without relaxed SIMD. `--check` compares instead of writing and exits with 1 if the file is not what the source gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const ENTRY = 'src/kernels/cpu/wasm/assembly/index.ts';
/** Number of the data section. */
const DATA = 11;
const OUTPUT = 'src/kernels/cpu/wasm/binaries.generated.ts';

const baseline = await compile([]);
const relaxed = await compile(['--enable', 'relaxed-simd']);
const generated = `/** Made by scripts/build-wasm.mjs from assembly/; do not edit. */

/** With fixed-width SIMD (${baseline.bytes.length} bytes). */
export const baseline =
  '${Buffer.from(baseline.bytes).toString('base64')}';

/** With relaxed SIMD too (${relaxed.bytes.length} bytes). */
export const relaxed =
  '${Buffer.from(relaxed.bytes).toString('base64')}';

/** Where in each binary stands the byte that declares its memory shared. */
export const sharedFlagAt = { baseline: ${baseline.sharedFlagAt}, relaxed: ${relaxed.sharedFlagAt} };
`;

if (process.argv.includes('--check')) {
  if ((await readFile(OUTPUT, 'utf8')) !== generated) {
    console.error(`${OUTPUT} is not what ${ENTRY} compiles to: run node scripts/build-wasm.mjs`);
    process.exit(1);
  }
} else {
  await writeFile(OUTPUT, generated);
  console.log(`${OUTPUT}: ${baseline.bytes.length} and ${relaxed.bytes.length} bytes`);
}

/** The binary for shared memory, and the position of the one byte in which the one for unshared memory differs. */
async function compile(features) {
  const bytes = await runCompiler([...features, '--sharedMemory']);
  const unshared = await runCompiler(features);
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

async function runCompiler(features) {
  let binary;
  const options = [
    ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'threads'],
    ...['--importMemory', '--noExportMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
    // AS112: vectors in the signature of a function; none is exported.
    ...['--disableWarning', '112', '--outFile', 'kernels.wasm'],
  ];
  const { error, stderr } = await asc.main([ENTRY, ...options, ...features], {
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
