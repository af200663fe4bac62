/** Downloads from a server that breaks off, stalls, lies and changes its mind. Waits are not waited for. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { sha256 } from '../../../src/node/hub/content-hash.js';
import { type Download, type DownloadOptions, downloadFile } from '../../../src/node/hub/download.js';
import { HttpClient } from '../../../src/node/hub/http.js';
import { scratchFolder } from '../scratch.js';
import { gitBlobId, type Misbehaviour, sha256Of, someBytes, TestServer, testServer } from './test-server.js';

const scratch = scratchFolder();
const server = testServer();
const CONTENT = someBytes(300_000);
const PATH = '/files/model.safetensors';

let folder: string;
let waits: number[];
let reasons: string[];
let received: number;
let tests = 0;

beforeEach(async () => {
  folder = scratch(`download-${tests++}`);
  await mkdir(folder);
  [waits, reasons, received] = [[], [], 0];
  server().files.set(PATH, CONTENT);
});

const target = () => `${folder}/model.safetensors`;

async function download(job: Partial<Download> = {}, options: Partial<DownloadOptions> = {}, stallAfter = 5000) {
  using client = new HttpClient({ stallAfter });
  const whole = {
    url: server().url(PATH),
    path: target(),
    name: 'model',
    size: CONTENT.length,
    hash: sha256(sha256Of(CONTENT)),
    limit: 10_000_000,
    ...job,
  };
  return await downloadFile(client, whole, {
    retries: 3,
    sleep: async (milliseconds) => void waits.push(milliseconds),
    onRetry: (reason) => void reasons.push(reason),
    onBytes: (bytes) => {
      received += bytes;
      server().acknowledge(bytes);
    },
    ...options,
  });
}

async function expectWhole(content = CONTENT): Promise<void> {
  expect(sha256Of(await readFile(target()))).toBe(sha256Of(content));
  expect(await readdir(folder)).toEqual(['model.safetensors']);
}

async function refusal(outcome: Promise<unknown>): Promise<string> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(existsSync(target())).toBe(false);
  return (error as InputError).message;
}

const plan = (...steps: Misbehaviour[]) => server().plans.set(PATH, steps);

test('a file arrives, with its hash checked and nothing beside it', async () => {
  expect(await download()).toEqual({ bytes: CONTENT.length, hash: sha256(sha256Of(CONTENT)) });
  await expectWhole();
  expect([received, waits]).toEqual([CONTENT.length, []]);
});

test("git's blob id is a hash as well", async () => {
  const hash = { algorithm: 'git-sha-1', hex: gitBlobId(CONTENT) } as const;
  expect(await download({ hash })).toEqual({ bytes: CONTENT.length, hash });
});

test("a wrong one of git's", async () => {
  plan({ instead: someBytes(CONTENT.length, 9) });
  const hash = { algorithm: 'git-sha-1', hex: gitBlobId(CONTENT) } as const;
  expect(await refusal(download({ hash }))).toMatch(/expected git-sha-1 .*, found /);
});

test('a size and hash that are not known are found', async () => {
  const totals: number[][] = [];
  const onTotal = (...total: number[]) => void totals.push(total);
  const { hash } = await download({ size: undefined, hash: undefined }, { onTotal });
  expect([hash.hex, totals]).toEqual([sha256Of(CONTENT), [[CONTENT.length, 0]]]);
});

describe('a transfer that breaks off goes on where it was', () => {
  test.each([
    ['connections closed', [{ dropAfter: 100_000 }, { dropAfter: 100_000 }], /connection .* broke/],
    ['connections reset', [{ resetAfter: 100_000 }, { resetAfter: 100_000 }], /broke \(.*ECONNRESET|SOCKET/],
  ] as [string, Misbehaviour[], RegExp][])('%s', async (_, steps, reason) => {
    plan(...steps);
    // What had left the server when a connection broke need not have arrived.
    await download({}, { retries: 6 });
    await expectWhole();
    expect(received).toBe(CONTENT.length);
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).toMatch(reason);
    const [first, ...later] = server().ranges(PATH);
    expect(first).toBeUndefined();
    for (const range of later) expect(range ?? 'bytes=0-').toMatch(/^bytes=\d+-$/);
  });

  test('an answer cut short by its own length', async () => {
    plan({ truncateBy: 200_000 });
    // Its length contradicts the listed size, so nothing of it is taken.
    await download();
    await expectWhole();
    expect(reasons[0]).toMatch(/expected 300000 bytes, the server has 100000/);
  });

  test('silence', async () => {
    plan({ stallAfter: 100_000 });
    await download({}, {}, 300);
    await expectWhole();
    expect(reasons).toEqual([expect.stringMatching(/^model: 127\.0\.0\.1:\d+ went silent$/)]);
    expect(server().ranges(PATH)[1]).toBe('bytes=100000-');
  });

  test('in a later call, with If-Range', async () => {
    plan({ dropAfter: 100_000 });
    const message = await refusal(download({}, { retries: 0 }));
    expect(message).toMatch(/broke \(\w+\); gave up after 1 attempts?; the same command goes on after 100000 bytes/);
    expect((await readdir(folder)).sort()).toEqual(['model.safetensors.part', 'model.safetensors.part.json']);
    await download();
    await expectWhole();
    const resumed = server().seen.at(-1)?.headers;
    expect([resumed?.range, resumed?.['if-range']]).toEqual([
      'bytes=100000-',
      expect.stringMatching(/^"[0-9a-f]{16}"$/),
    ]);
  });

  test('a server without ranges starts over', async () => {
    server().ignoreRanges = true;
    plan({ dropAfter: 100_000 });
    await download();
    await expectWhole();
    expect(received).toBe(CONTENT.length);
  });

  test('without tags, the hash of the whole decides', async () => {
    server().sendTags = false;
    plan({ dropAfter: 100_000 });
    await download();
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined, 'bytes=100000-']);
    expect(server().seen.at(-1)?.headers['if-range']).toBeUndefined();
  });

  test('without tags or a hash, it starts over', async () => {
    server().sendTags = false;
    plan({ dropAfter: 100_000 });
    await download({ hash: undefined });
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined, undefined]);
  });
});

describe('a file that changes between attempts is never mixed', () => {
  const changed = someBytes(CONTENT.length, 7);
  const unknown = { hash: undefined, size: undefined };

  test.each([false, true])('If-Range unknown to the server: %s', async (ignored) => {
    server().ignoreIfRange = ignored;
    plan({ dropAfter: 100_000 });
    await refusal(download(unknown, { retries: 0 }));
    server().files.set(PATH, changed);
    await download(unknown);
    await expectWhole(changed);
    if (ignored) expect(reasons.at(-1)).toMatch(/the file on the server has changed/);
  });

  test('another URL, another file', async () => {
    plan({ dropAfter: 100_000 });
    await refusal(download(unknown, { retries: 0 }));
    server().files.set('/other', changed);
    await download({ ...unknown, url: server().url('/other') });
    await expectWhole(changed);
    expect(server().ranges('/other')).toEqual([undefined]);
  });

  test('damaged on the disk since the last call: fetched anew, once', async () => {
    plan({ dropAfter: 100_000 });
    await refusal(download({}, { retries: 0 }));
    const damaged = Buffer.from(await readFile(`${target()}.part`));
    damaged[5]! ^= 1;
    await writeFile(`${target()}.part`, damaged);
    await download();
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined, 'bytes=100000-', undefined]);
    expect(received).toBe(CONTENT.length + 100_000);
  });

  test('a partial file longer than the file, and one complete', async () => {
    const note = JSON.stringify({ contents: sha256Of(CONTENT), validator: null });
    await writeFile(`${target()}.part.json`, note);
    await writeFile(`${target()}.part`, new Uint8Array(CONTENT.length + 1));
    await download();
    await expectWhole();
    await writeFile(`${target()}.part.json`, note);
    await writeFile(`${target()}.part`, CONTENT);
    const asked = server().seen.length;
    await download();
    await expectWhole();
    expect(server().seen.length).toBe(asked);
  });

  test('a partial file of unknown size that the server has less of', async () => {
    await writeFile(`${target()}.part.json`, JSON.stringify({ contents: sha256Of(CONTENT), validator: null }));
    await writeFile(`${target()}.part`, new Uint8Array(CONTENT.length + 1));
    await download({ size: undefined });
    await expectWhole();
    expect(reasons).toEqual([expect.stringMatching(/fewer bytes than had arrived/)]);
  });

  test('a note that was cut off counts for nothing', async () => {
    await writeFile(`${target()}.part.json`, '{"contents":"');
    await writeFile(`${target()}.part`, new Uint8Array(100));
    await download();
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined]);
  });
});

describe('what the server says', () => {
  test('5xx and 429 pass; waits double, Retry-After counts', async () => {
    const date = new Date(Date.now() + 100_000).toUTCString();
    plan(
      { status: 503 },
      { status: 502 },
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': date } },
    );
    await download({}, { retries: 5 });
    await expectWhole();
    const [first, second, third, fourth] = waits;
    expect(first).toBeGreaterThanOrEqual(750);
    expect(first).toBeLessThanOrEqual(1000);
    expect(second).toBeGreaterThanOrEqual(1500);
    expect(second).toBeLessThanOrEqual(2000);
    expect(third).toBe(7000);
    expect(fourth).toBeGreaterThan(60_000);
    expect(fourth).toBeLessThanOrEqual(100_000);
  });

  test('attempts run out', async () => {
    plan(...Array.from({ length: 9 }, () => ({ status: 500 })));
    expect(await refusal(download())).toBe('model: the server answers 500; gave up after 4 attempts');
    expect(waits).toHaveLength(3);
  });

  test('a wait of hours is not waited', async () => {
    plan({ status: 429, headers: { 'retry-after': '7200' } });
    expect(await refusal(download())).toBe('model: the server answers 429 and asks to wait 120 minutes');
  });

  test('progress starts the count anew', async () => {
    plan(...Array.from({ length: 5 }, () => ({ dropAfter: 40_000 })));
    await download({}, { retries: 1 });
    await expectWhole();
    expect(reasons).toHaveLength(5);
  });

  test('other refusals are final', async () => {
    plan({ status: 404 });
    expect(await refusal(download())).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/files\/model\.safetensors: the server answers 404$/,
    );
    plan({ status: 403 });
    expect(await refusal(download())).toMatch(/the server answers 403/);
    expect(waits).toEqual([]);
  });

  test('wrong contents are deleted, expected and found named', async () => {
    const wrong = someBytes(CONTENT.length, 3);
    plan({ instead: wrong });
    expect(await refusal(download())).toBe(
      `model: wrong contents, deleted: expected sha-256 ${sha256Of(CONTENT)}, found ${sha256Of(wrong)}`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('a page instead of the file, and more than was said', async () => {
    plan(...Array.from({ length: 4 }, () => ({ instead: someBytes(99) })));
    expect(await refusal(download())).toMatch(/expected 300000 bytes, the server has 99; gave up after 4 attempts$/);
    expect(await refusal(download({ size: undefined, limit: 1000 }))).toMatch(/300000 bytes, over the limit of 1000/);
  });

  test('compression that nobody asked for', async () => {
    plan({ extraHeaders: { 'content-encoding': 'gzip' } });
    expect(await refusal(download())).toMatch(/compressed \(gzip\), though that was not asked for/);
  });

  test('nobody there', async () => {
    const gone = await TestServer.start();
    const url = gone.url(PATH);
    await gone.stop();
    expect(await refusal(download({ url }))).toMatch(
      /connection to 127\.0\.0\.1:\d+ broke \(ECONNREFUSED\); gave up after 4/,
    );
    expect(await refusal(download({ url: new URL('http://nowhere.invalid/') }))).toMatch(
      /nowhere\.invalid cannot be found/,
    );
  });
});

test('a folder that cannot be written', async () => {
  expect(await refusal(download({ path: `${folder}/none/model` }))).toMatch(
    /none\/model: cannot be written \(ENOENT\)/,
  );
});
