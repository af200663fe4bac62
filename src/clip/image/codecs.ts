/**
 * The codecs in WebAssembly, of the packages `@jsquash/jpeg` (libjpeg-turbo, as MozJPEG) and `@jsquash/webp` (libwebp), which decode to the
 * same bytes as the libraries inside Pillow.
 *
 * The packages fetch their `.wasm` files from beside their modules, which works in a browser. Elsewhere (in Node, or in a
 * bundle that moves files) they have to be given to `setImageWasm`.
 */
import jpegDecoderFactory from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegEncoderFactory from '@jsquash/jpeg/codec/enc/mozjpeg_enc.js';
import webpDecoderFactory from '@jsquash/webp/codec/dec/webp_dec.js';

// The packages' own declarations rest on a global namespace that they do not declare.
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

/** Compiled WebAssembly, or what compiles it when it is first needed. */
export type WasmSource = WebAssembly.Module | (() => Promise<WebAssembly.Module>);

/** The codecs' WebAssembly files. */
export interface ImageWasm {
  /** `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm` */
  readonly jpegDecoder?: WasmSource;
  /** `@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm`; needed by `encodeJpeg` alone. */
  readonly jpegEncoder?: WasmSource;
  /** `@jsquash/webp/codec/dec/webp_dec.wasm` */
  readonly webpDecoder?: WasmSource;
}

/** An instance with the last line that its library printed, which is its error message. */
export interface CodecInstance<Codec> {
  readonly codec: Codec;
  lastMessage: string;
}

let wasm: ImageWasm = {};
let instances: Partial<Record<keyof ImageWasm, Promise<CodecInstance<unknown>>>> = {};

/** Gives codecs their WebAssembly, if they cannot fetch it by themselves. Call before the first image. */
export function setImageWasm(sources: ImageWasm): void {
  wasm = { ...wasm, ...sources };
  instances = {};
}

/** The decoder, instantiated on first use; so are the others. */
export const jpegDecoder = (): Promise<CodecInstance<JpegDecoder>> => instance('jpegDecoder', jpegDecoderFactory);
export const jpegEncoder = (): Promise<CodecInstance<JpegEncoder>> => instance('jpegEncoder', jpegEncoderFactory);
export const webpDecoder = (): Promise<CodecInstance<WebpDecoder>> => instance('webpDecoder', webpDecoderFactory);

/** Forgets an instance: after an error, the libraries do not free what they had allocated. */
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
