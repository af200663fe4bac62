/** The vision transformer of Table 4 that is no CLIP. */
import { InputError } from '../../errors.js';
import { type OpenedEncoder, openEncoder } from '../image-encoder.js';

/** Throws InputError where the checkpoint is no vision transformer in timm's naming. */
export async function openDeit(path: string): Promise<OpenedEncoder> {
  const encoder = await openEncoder(path, 'pooled');
  if (encoder.config.kind !== 'clip') return encoder;
  await encoder[Symbol.asyncDispose]();
  throw new InputError(`--deit ${path}: expected a vision transformer in timm's naming, found a CLIP`);
}
