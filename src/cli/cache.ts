/** `ptdpc cache`: how large the cache of image features is, and emptying it. */
import type { Command } from 'commander';
import { counted } from '../errors.js';
import { requireFolder } from '../node/make-folder.js';
import { defaultCacheDirectory } from '../node/package.js';
import { addExamples, jsonOption } from './options.js';
import { print, printJson } from './output.js';

interface Options {
  cache?: string;
  clear?: boolean;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Show the size of the cache of image features, or empty it. Features are encoded again when needed; the results of `ptdpc autotune` ' +
        'are kept. Features of earlier versions are not read any more.',
    )
    .option('--cache <dir>', 'the cache (default: $PTDPC_CACHE or ~/.cache/ptdpc)')
    .option('--clear', 'remove all features')
    .addOption(jsonOption())
    .action(cache);
  addExamples(command, [
    ['ptdpc cache', 'where it is and how large'],
    ['ptdpc cache --clear', 'empty it'],
    ['ptdpc cache --cache paper/cache --clear', 'the one in the folder of an experiment'],
  ]);
}

async function cache({ cache: given, clear, json }: Options): Promise<void> {
  // The default is made when there are features to keep.
  if (given !== undefined) await requireFolder(given, '--cache ');
  const folder = given ?? defaultCacheDirectory();
  const { clearCache, measureCache } = await import('../node/feature-cache.js');
  const size = clear ? await clearCache(folder) : await measureCache(folder);
  if (json) return printJson({ cache: folder, cleared: clear ?? false, ...size });
  const what = `${megabytes(size.bytes)} in ${counted(size.segments, 'file')}, for ${counted(size.origins, 'combination')} of model, device, and images or texts`;
  print(`${folder}: ${clear ? 'removed ' : ''}${what}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
