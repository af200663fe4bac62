/** Fetches an encoder that is published as one file, whose name ends in the beginning of its SHA-256. */
import { join } from 'node:path';
import { growDirectory } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import { hashFiles, sha256 } from '../file-source.js';
import { openEncoder } from '../image-encoder.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { type FetchedFile, MAX_WEIGHT_BYTES } from './fetch-model.js';
import type { HttpClient } from './http.js';
import { hashInName, type PublishedFile, requireHashOfName } from './published-encoders.js';

export interface EncoderRequest extends PublishedFile {
  /** A mirror that has the same files; undefined: the publisher. */
  readonly mirror?: URL | undefined;
}

/**
 * Creates the folder `out` with the file. Throws InputError if the publisher cannot be reached, its hash is not that of its name, or it is
 * no encoder. A partial download stays for the next call.
 */
export async function fetchEncoder(
  client: HttpClient,
  { base, file, mirror }: EncoderRequest,
  out: string,
  options: DownloadOptions,
): Promise<FetchedFile> {
  const there = join(out, file);
  const begun = hashInName(file);
  if (await exists(there)) {
    const hex = await hashFiles([there]);
    requireHashOfName(there, hex);
    return { name: file, bytes: 0, hash: sha256(hex), checked: begun !== undefined, from: 'earlier call' };
  }
  let fetched: FetchedFile | undefined;
  await growDirectory(out, async (directory) => {
    const place = mirror ?? new URL(base);
    const url = new URL(file, place.href.endsWith('/') ? place : `${place.href}/`);
    const path = join(directory, file);
    const hash = begun === undefined ? undefined : sha256(begun);
    const job = { url, path, name: file, hash, limit: MAX_WEIGHT_BYTES };
    const done = await downloadFile(client, job, options);
    fetched = { name: file, bytes: done.bytes, hash: done.hash, checked: hash !== undefined, from: 'publisher' };
    await using _encoder = await openEncoder(path, { features: 'pooled' });
  });
  return fetched!;
}
