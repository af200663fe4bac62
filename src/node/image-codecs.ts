/** Gives the image codecs their WebAssembly files, which Node has to find in the installed packages. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setImageWasm } from '../clip/image/index.js';

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
  return WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(file)));
}
