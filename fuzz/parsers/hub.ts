/** A hub's list of a repository's files, from a broken or malicious server. */
import type { HttpClient, HttpResponse } from '../../src/node/hub/http.js';
import { readRepository } from '../../src/node/hub/repository.js';
import { type FuzzedParser, MiB } from '../parser.js';
import { damagedJson } from './json.js';

const LIST = JSON.stringify({
  sha: 'c'.repeat(40),
  siblings: [
    { rfilename: 'config.json', size: 500, blobId: 'a'.repeat(40) },
    { rfilename: 'model.safetensors', size: 6e8, blobId: 'b'.repeat(40), lfs: { sha256: 'd'.repeat(64), size: 6e8 } },
    { rfilename: '../../outside', size: 1, blobId: 'e'.repeat(40) },
  ],
});

/** Answers every request with `body`. */
function clientOf(body: Uint8Array): Pick<HttpClient, 'get'> {
  const response: HttpResponse = {
    status: 200,
    header: () => undefined,
    cancel: () => {},
    body: (async function* () {
      yield body;
    })(),
  };
  return { get: async () => response };
}

export const hub: FuzzedParser = {
  name: 'hub-list',
  what: "a hub's list of a model's files",
  make: (random) => damagedJson(LIST, random),
  async read(input) {
    const client = clientOf(input) as HttpClient;
    const { commit, files } = await readRepository(client, new URL('http://hub.invalid'), 'a/b', 'main', {
      retries: 0,
    });
    if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error(`no commit: ${commit}`);
    for (const { size, hash } of files.values()) {
      if (!Number.isSafeInteger(size) || size < 0) throw new Error(`a size of ${size}`);
      if (hash && !/^[0-9a-f]+$/.test(hash.hex)) throw new Error(`a hash of ${hash.hex}`);
    }
  },
  names: 'hub.invalid',
  memory: (length) => 16 * MiB + 64 * length,
};
