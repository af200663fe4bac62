/** Models of the user's own: looked at, loaded, and left again. */
import { describePreprocessing } from '../../../src/clip/image/index.js';
import { modelFootprint } from '../../../src/clip/towers/index.js';
import { InputError } from '../../../src/errors.js';
import type { ModelPlan, ModelTasks } from '../../protocol-model.js';
import { openModelFolder } from '../model/model-folder.js';
import { refusal, roomOf } from '../model/room.js';
import type { Watched } from '../model/watched-source.js';
import { MEMORY, type Session } from '../session.js';
import type { Work } from './task.js';

export const modelTasks: { readonly [K in keyof ModelTasks]: Work<K> } = {
  'inspect-model': async (folder, { session, signal }) => (await planned(folder, session, { signal })).plan,
  'open-model': async (folder, { session, signal, progress }) => {
    const watched: Watched = { signal };
    const { plan, source, bytesRead } = await planned(folder, session, watched);
    if (plan.refused !== null) throw new InputError(plan.refused);
    const heard = (total: number, what: string) => {
      let done = 0;
      progress({ done, total, what });
      watched.onRead = (bytes) => {
        done += bytes;
        progress({ done: Math.min(done, total), total, what });
      };
    };
    heard(
      plan.files.reduce((sum, { bytes }) => sum + bytes, 0),
      'reading the weights once, to know them again',
    );
    const hash = await source.hash();
    heard(bytesRead, 'putting the weights on the device');
    const report = { name: folder.name, builtIn: false, hash, imageSize: source.config.vision.imageSize };
    const opened = await session.change({ source, report });
    // Later reads are no part of this task.
    watched.signal = undefined;
    watched.onRead = undefined;
    return opened;
  },
  'built-in-model': (_, { session }) => session.change(null),
};

/** Opens a folder as far as its headers, and holds what it would take against what the device has. */
async function planned(folder: Parameters<Work<'inspect-model'>>[0], session: Session, watched: Watched) {
  const { backend } = await session.device();
  const { source, files } = await openModelFolder(folder, watched);
  const { clip, config } = source;
  const footprint = modelFootprint(clip, config, backend.packsHalves);
  const room = roomOf(backend);
  const plan: ModelPlan = {
    ...{ name: folder.name, config, files, room, activations: MEMORY },
    pictures: describePreprocessing(source.preprocessing),
    stored: clip.dtype(footprint.largest.name),
    weights: footprint.bytes,
    largest: footprint.largest,
    refused: refusal(folder.name, footprint, MEMORY, room),
  };
  return { plan, source, bytesRead: footprint.bytesRead };
}
