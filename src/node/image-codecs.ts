/** Gives the image codecs their WebAssembly files, which Node has to find in the installed packages. */
import { readFile } from 'node:fs/promises';
import { setImageWasm } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import { resolveModule } from './package.js';

let given = false;

/** Must have been called before `decodeImage` or `encodeJpeg` meets its first image; files are read when they are first needed. */
export function loadImageCodecs(): void {
  if (given) return;
  given = true;
  setImageWasm({
    jpegDecoder: () => compiled('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'),
    jpegEncoder: () => compiled('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'),
    webpDecoder: () => compiled('@jsquash/webp/codec/dec/webp_dec.wasm'),
  });
}

async function compiled(file: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(located(file)));
}

/** Throws InputError in a bundle that is on its own. */
function located(file: string): string {
  try {
    return resolveModule(file);
  } catch {
    throw new InputError(`${file} is not found; install its package where this program finds it`);
  }
}
