/**
 * The JPEG codec: libjpeg-turbo (as MozJPEG) in WebAssembly, from `@jsquash/jpeg`. It decodes to the same bytes as the
 * libjpeg-turbo inside Pillow, and four times as fast as jpeg-js, which is off by 3 levels on average where chroma is subsampled,
 * because it repeats chroma samples instead of interpolating them.
 *
 * The package fetches its `.wasm` files from beside its modules, which works in a browser. Elsewhere (in Node, or in a
 * bundle that moves files) they have to be given to `setJpegWasm`.
 */
import decoderFactory from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import encoderFactory from '@jsquash/jpeg/codec/enc/mozjpeg_enc.js';

// The package's own declarations rest on a global namespace that it does not declare.
interface Decoder {
  decode(file: Uint8Array, preserveOrientation: boolean): ImageData | null;
}
interface Encoder {
  encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array;
}
type Factory<Codec> = (options: object) => Promise<Codec>;

/** The codec's two WebAssembly files. */
export interface JpegWasm {
  /** `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`, compiled; needed by `decodeImage`. */
  readonly decoder?: WebAssembly.Module;
  /** `@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm`, compiled; needed by `encodeJpeg`. */
  readonly encoder?: WebAssembly.Module;
}

let wasm: JpegWasm = {};
let decoder: Promise<JpegInstance<Decoder>> | undefined;
let encoder: Promise<JpegInstance<Encoder>> | undefined;

/** An instance with the last line that libjpeg printed, which is its error message. */
export interface JpegInstance<Codec> {
  readonly codec: Codec;
  lastMessage: string;
}

/** Gives the codec its WebAssembly, where it cannot fetch it by itself. Call before the first image. */
export function setJpegWasm(modules: JpegWasm): void {
  wasm = { ...wasm, ...modules };
  decoder = undefined;
  encoder = undefined;
}

/** The decoder, instantiated on first use. */
export function jpegDecoder(): Promise<JpegInstance<Decoder>> {
  decoder ??= instantiate('decoder', decoderFactory, wasm.decoder);
  return decoder;
}

/** Forgets the decoder: after an error, libjpeg does not free what it had allocated. */
export function discardJpegDecoder(): void {
  decoder = undefined;
}

/** The encoder, instantiated on first use. */
export function jpegEncoder(): Promise<JpegInstance<Encoder>> {
  encoder ??= instantiate('encoder', encoderFactory, wasm.encoder);
  return encoder;
}

async function instantiate<Codec>(
  kind: keyof JpegWasm,
  factory: Factory<Codec>,
  module: WebAssembly.Module | undefined,
): Promise<JpegInstance<Codec>> {
  const instance = { lastMessage: '' };
  const options = {
    noInitialRun: true,
    printErr: (line: string) => {
      instance.lastMessage = line;
    },
    ...(module && {
      instantiateWasm(
        imports: WebAssembly.Imports,
        ready: (instance: WebAssembly.Instance) => void,
      ): WebAssembly.Exports {
        const created = new WebAssembly.Instance(module, imports);
        ready(created);
        return created.exports;
      },
    }),
  };
  try {
    return Object.assign(instance, { codec: await factory(options) });
  } catch (cause) {
    throw new Error(`JPEG ${kind}: its WebAssembly could not be fetched; give it to setJpegWasm`, { cause });
  }
}
