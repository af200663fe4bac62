/**
 * WebAssembly codecs from the packages `@jsquash/jpeg` (libjpeg-turbo, as MozJPEG) and `@jsquash/webp` (libwebp), which decode to the
 * same bytes as the libraries in Pillow.
 *
 * The packages fetch their `.wasm` files from the directory of their modules, which works in a browser. Elsewhere (in Node, or in a
 * bundle that moves files), pass them to `setImageWasm`.
 */
import jpegDecoderFactory from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegEncoderFactory from '@jsquash/jpeg/codec/enc/mozjpeg_enc.js';
import webpDecoderFactory from '@jsquash/webp/codec/dec/webp_dec.js';

// The packages' declarations depend on a global namespace that they do not declare.
interface JpegDecoder {
  decode(file: Uint8Array, preserveOrientation: boolean): ImageData | null;
}
interface JpegEncoder {
  encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array;
}
interface WebpDecoder {
  decode(file: Uint8Array): ImageData | null;
}
type Factory<Codec> = (options: object) => Promise<Codec>;

/** Compiled WebAssembly, or a function that compiles it on first use. */
export type WasmSource = WebAssembly.Module | (() => Promise<WebAssembly.Module>);

/** The codecs' WebAssembly files. */
export interface ImageWasm {
  /** `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm` */
  readonly jpegDecoder?: WasmSource;
  /** `@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm`; only used by `encodeJpeg`. */
  readonly jpegEncoder?: WasmSource;
  /** `@jsquash/webp/codec/dec/webp_dec.wasm` */
  readonly webpDecoder?: WasmSource;
}

/** A codec instance, with the last line printed by its library, which is its error message. */
export interface CodecInstance<Codec> {
  readonly codec: Codec;
  lastMessage: string;
}

let wasm: ImageWasm = {};
let instances: Partial<Record<keyof ImageWasm, Promise<CodecInstance<unknown>>>> = {};

/** Provides the codecs' WebAssembly where it cannot be fetched. Call before the first image. */
export function setImageWasm(sources: ImageWasm): void {
  wasm = { ...wasm, ...sources };
  instances = {};
}

/** The decoder, instantiated on first use (like the others). */
export const jpegDecoder = (): Promise<CodecInstance<JpegDecoder>> => instance('jpegDecoder', jpegDecoderFactory);
export const jpegEncoder = (): Promise<CodecInstance<JpegEncoder>> => instance('jpegEncoder', jpegEncoderFactory);
export const webpDecoder = (): Promise<CodecInstance<WebpDecoder>> => instance('webpDecoder', webpDecoderFactory);

/** Drops an instance, since the libraries do not free their memory after an error. */
export function discardCodec(kind: keyof ImageWasm): void {
  delete instances[kind];
}

function instance<Codec>(kind: keyof ImageWasm, factory: Factory<Codec>): Promise<CodecInstance<Codec>> {
  instances[kind] ??= instantiate(kind, factory, wasm[kind]);
  return instances[kind] as Promise<CodecInstance<Codec>>;
}

async function instantiate<Codec>(
  kind: keyof ImageWasm,
  factory: Factory<Codec>,
  source: WasmSource | undefined,
): Promise<CodecInstance<Codec>> {
  const module = typeof source === 'function' ? await source() : source;
  const created = { lastMessage: '' };
  const options = {
    noInitialRun: true,
    printErr: (line: string) => {
      created.lastMessage = line;
    },
    ...(module && {
      instantiateWasm(
        imports: WebAssembly.Imports,
        ready: (instance: WebAssembly.Instance) => void,
      ): WebAssembly.Exports {
        const instance = new WebAssembly.Instance(module, imports);
        ready(instance);
        return instance.exports;
      },
    }),
  };
  try {
    return Object.assign(created, { codec: await factory(options) });
  } catch (cause) {
    throw new Error(`${kind}: its WebAssembly could not be fetched; give it to setImageWasm`, { cause });
  }
}
