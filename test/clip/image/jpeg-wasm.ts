/** Gives the JPEG codec its WebAssembly from node_modules, as a program under Node has to. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setJpegWasm } from '../../../src/clip/image/index.js';

const { resolve } = createRequire(import.meta.url);
const compiled = (path: string) => new WebAssembly.Module(readFileSync(resolve(`@jsquash/jpeg/codec/${path}`)));

setJpegWasm({ decoder: compiled('dec/mozjpeg_dec.wasm'), encoder: compiled('enc/mozjpeg_enc.wasm') });
