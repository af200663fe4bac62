/** Gives the JPEG codec its WebAssembly files, which Node has to find in the installed package. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setJpegWasm } from '../clip/image/index.js';

const FILES = { decoder: 'dec/mozjpeg_dec.wasm', encoder: 'enc/mozjpeg_enc.wasm' } as const;

const loaded: Partial<Record<keyof typeof FILES, Promise<void>>> = {};

/** Must have resolved before `decodeImage` ('decoder') or `encodeJpeg` ('encoder') meets its first JPEG image. */
export function loadJpeg(kind: keyof typeof FILES): Promise<void> {
  loaded[kind] ??= (async () => {
    const path = createRequire(import.meta.url).resolve(`@jsquash/jpeg/codec/${FILES[kind]}`);
    setJpegWasm({ [kind]: await WebAssembly.compile(await readFile(path)) });
  })();
  return loaded[kind];
}
