/** OpenAI's own archive (or any other single checkpoint file), from a URL or the disk, its hash checked before it is opened. */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { requireNothingAt } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import { openFileSource } from '../file-source.js';
import { withGrowingDirectory } from '../growing-directory.js';
import { type ContentHash, fileHash, sha256 } from './content-hash.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { type HttpClient, parseHttpUrl, shownUrl } from './http.js';
import { PUBLISHED_MODELS } from './published-models.js';

export interface ArchiveRequest {
  /** A URL, or a path. */
  readonly from: string;
  /** ViT-B/32, ViT-B/16 or ViT-L/14, where the user says which it is. */
  readonly model?: string | undefined;
  /** The SHA-256 that the user expects. */
  readonly sha256?: string | undefined;
}

/** Far above any CLIP, and small enough that a server cannot fill a disk for ever. */
const MAX_ARCHIVE_BYTES = 64 * 2 ** 30;

/**
 * Gives `convert` the path of the checkpoint file, once its hash is right; it makes `out` of it. A download is kept until
 * that has succeeded. Throws InputError for a wrong hash. Returns the hash, and whether it was one that was expected.
 */
export async function fetchArchive(
  client: HttpClient,
  request: ArchiveRequest,
  out: string,
  convert: (path: string) => Promise<void>,
  options: DownloadOptions,
): Promise<{ hash: ContentHash; expected: boolean }> {
  await requireNothingAt(out);
  const { from } = request;
  const expected = expectedHash(request);
  if (!isUrl(from)) {
    const hash = await hashOfFile(from);
    if (expected && hash.hex !== expected.hex) {
      throw new InputError(`${from}: wrong contents: expected SHA-256 ${expected.hex}, found ${hash.hex}`);
    }
    await convert(from);
    return { hash, expected: expected !== undefined };
  }
  const url = parseHttpUrl(from, '--from');
  let hash: ContentHash | undefined;
  await withGrowingDirectory(out, async (directory) => {
    const path = join(directory, 'checkpoint');
    // A conversion that failed, for want of a vocabulary perhaps, has left the download.
    const earlier = expected && (await exists(path)) ? await hashOfFile(path) : undefined;
    if (earlier?.hex === expected?.hex) hash = earlier;
    const job = { url, path, name: shownUrl(url), hash: expected, limit: MAX_ARCHIVE_BYTES };
    hash ??= (await downloadFile(client, job, options)).hash;
    await convert(path);
  });
  return { hash: hash!, expected: expected !== undefined };
}

/** Whether `--from` is to be downloaded. */
export function isUrl(from: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from);
}

/** By option, by the model's name, by the file's name, or by the address: OpenAI's have the hash before the name. */
function expectedHash({ from, model, sha256: option }: ArchiveRequest): ContentHash | undefined {
  if (option !== undefined) return sha256(option.toLowerCase());
  const named = model === undefined ? undefined : PUBLISHED_MODELS.get(model);
  if (named) return sha256(named.archive.sha256);
  const parts = (isUrl(from) ? parseHttpUrl(from, '--from').pathname : from).split(/[/\\]/);
  const known = [...PUBLISHED_MODELS.values()].find(({ archive }) => archive.name === parts.at(-1));
  const inAddress = isUrl(from) ? parts.at(-2) : undefined;
  const hex = known?.archive.sha256 ?? inAddress?.toLowerCase() ?? '';
  return /^[0-9a-f]{64}$/.test(hex) ? sha256(hex) : undefined;
}

async function hashOfFile(path: string): Promise<ContentHash> {
  await using source = await openFileSource(path);
  return fileHash(path, 'sha-256', source.size);
}
