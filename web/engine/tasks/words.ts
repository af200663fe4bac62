import { MOST_SHOWN } from '../../most-shown.js';
import type { Work } from './task.js';

/** Words beside each learned token. */
const TOP = 5;

export const words: Work<'words'> = ({ prompts }, { session, progress }) =>
  session.withClip(async (clip) => {
    using tuned = await clip.restorePrompts(session.promptsOf(prompts));
    const total = clip.tokenEmbeddings.count;
    let done = 0;
    const words = await tuned.nearestWords({
      top: TOP,
      onProgress: (tokens) => {
        done += tokens;
        progress({ done, total, what: 'comparing words' });
      },
    });
    return { ...words, prompts: words.prompts.slice(0, MOST_SHOWN) };
  });
