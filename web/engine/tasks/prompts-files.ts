/** Prompts from and to files, in the command line's own format. */
import { blobSource } from '../../../src/clip/checkpoint/index.js';
import { decodePrompts, encodePrompts, requireSameModel } from '../../../src/ptdpc/index.js';
import type { Work } from './task.js';

export const importPrompts: Work<'importPrompts'> = ({ file }, { session }) =>
  session.withClip(async (clip) => {
    const prompts = await decodePrompts(blobSource(file.name, file));
    await requireSameModel(file.name, prompts, clip.source);
    // What the tokenizer or the tower makes impossible is reported now, not at the first image.
    using _fits = await clip.restorePrompts(prompts, file.name);
    return session.keepPrompts(file.name, prompts);
  });

export const exportPrompts: Work<'exportPrompts'> = async ({ prompts }, { session }) =>
  (await encodePrompts(session.promptsOf(prompts))) as Uint8Array<ArrayBuffer>;
