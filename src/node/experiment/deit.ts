/** Table 4's vision transformer that is not a CLIP. */
import { InputError } from '../../errors.js';
import { type OpenedEncoder, openEncoder } from '../image-encoder.js';

/** Throws InputError if the checkpoint is not a vision transformer in timm's naming. */
export async function openDeit(path: string): Promise<OpenedEncoder> {
  const encoder = await openEncoder(path, 'pooled');
  if (encoder.config.kind !== 'clip') return encoder;
  await encoder[Symbol.asyncDispose]();
  throw new InputError(`--deit ${path}: expected a vision transformer in timm's naming, found a CLIP`);
}
