/** Fetches OpenAI's own archive, or another checkpoint file, from a URL or a path. Its hash is checked before it is opened. */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { requireNothingAt, withGrowingDirectory } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import { type ContentHash, hashFile, openFileSource, sha256, stampAt } from '../file-source.js';
import { removeOwn } from '../own-files.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { MAX_WEIGHT_BYTES } from './fetch-model.js';
import { type HttpClient, parseHttpUrl, shownUrl } from './http.js';
import { PUBLISHED_MODELS } from './published-models.js';

export interface ArchiveRequest {
  /** A URL, or a path. */
  readonly from: string;
  /** ViT-B/32, ViT-B/16 or ViT-L/14, if given. */
  readonly model?: string | undefined;
  /** The expected SHA-256, if given. */
  readonly sha256?: string | undefined;
}

/**
 * Calls `convert` with the path of the checkpoint file, from which it creates `out`. A download is kept until that has
 * succeeded. Throws InputError if the hash is wrong. Returns the hash, and whether there was one to compare it with.
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
    const before = await stampAt(from);
    const hash = await hashOfFile(from);
    if (expected && hash.hex !== expected.hex) {
      throw new InputError(`${from}: wrong contents: expected SHA-256 ${expected.hex}, found ${hash.hex}`);
    }
    await convert(from);
    if ((await stampAt(from)) !== before) {
      await removeOwn(out);
      throw new InputError(`${from}: it changed while it was converted, so ${out} was removed; try again`);
    }
    return { hash, expected: expected !== undefined };
  }
  const url = parseHttpUrl(from, '--from');
  let hash: ContentHash | undefined;
  await withGrowingDirectory(out, async (directory) => {
    const path = join(directory, 'checkpoint');
    // An earlier conversion may have failed, for want of a vocabulary perhaps, after the download.
    const earlier = expected && (await exists(path)) ? await hashOfFile(path) : undefined;
    if (earlier?.hex === expected?.hex) hash = earlier;
    const job = { url, path, name: shownUrl(url), hash: expected, limit: MAX_WEIGHT_BYTES };
    hash ??= (await downloadFile(client, job, options)).hash;
    await convert(path);
  });
  return { hash: hash!, expected: expected !== undefined };
}

function isUrl(from: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from);
}

/** From the option, the model's name, the file's name, or the URL: in OpenAI's, the hash precedes the name. */
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
  return await hashFile(path, 'sha-256', source.size);
}
