/** Downloads from a server that drops connections, stalls, sends wrong data and changes files. Retries do not really wait. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { sha256 } from '../../../src/node/file-source.js';
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

test('downloads a file, checks its hash and leaves nothing beside it', async () => {
  expect(await download()).toEqual({ bytes: CONTENT.length, hash: sha256(sha256Of(CONTENT)) });
  await expectWhole();
  expect([received, waits]).toEqual([CONTENT.length, []]);
});

test("checks git's blob id", async () => {
  const hash = { algorithm: 'git-sha-1', hex: gitBlobId(CONTENT) } as const;
  expect(await download({ hash })).toEqual({ bytes: CONTENT.length, hash });
});

test('refuses a wrong blob id', async () => {
  plan({ instead: someBytes(CONTENT.length, 9) });
  const hash = { algorithm: 'git-sha-1', hex: gitBlobId(CONTENT) } as const;
  expect(await refusal(download({ hash }))).toMatch(/expected git-sha-1 .*, found /);
});

test('reports the size and hash if neither was known', async () => {
  const totals: number[][] = [];
  const onTotal = (...total: number[]) => void totals.push(total);
  const { hash } = await download({ size: undefined, hash: undefined }, { onTotal });
  expect([hash.hex, totals]).toEqual([sha256Of(CONTENT), [[CONTENT.length, 0]]]);
});

describe('resumes an interrupted transfer', () => {
  test.each([
    ['after closed connections', [{ dropAfter: 100_000 }, { dropAfter: 100_000 }], /connection .* broke/],
    ['after reset connections', [{ resetAfter: 100_000 }, { resetAfter: 100_000 }], /broke \(.*ECONNRESET|SOCKET/],
  ] as [string, Misbehaviour[], RegExp][])('%s', async (_, steps, reason) => {
    plan(...steps);
    // Bytes that were sent before a reset may not have been received.
    await download({}, { retries: 6 });
    await expectWhole();
    expect(received).toBe(CONTENT.length);
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).toMatch(reason);
    const [first, ...later] = server().ranges(PATH);
    expect(first).toBeUndefined();
    for (const range of later) expect(range ?? 'bytes=0-').toMatch(/^bytes=\d+-$/);
  });

  test('after a response whose length contradicts the listed size, of which nothing is kept', async () => {
    plan({ truncateBy: 200_000 });
    await download();
    await expectWhole();
    expect(reasons[0]).toMatch(/expected 300000 bytes, the server has 100000/);
  });

  test('after a stall', async () => {
    plan({ stallAfter: 100_000 });
    await download({}, {}, 300);
    await expectWhole();
    expect(reasons).toEqual([expect.stringMatching(/^model: 127\.0\.0\.1:\d+ stopped sending data$/)]);
    expect(server().ranges(PATH)[1]).toBe('bytes=100000-');
  });

  test('in a later call, with If-Range', async () => {
    plan({ dropAfter: 100_000 });
    const message = await refusal(download({}, { retries: 0 }));
    expect(message).toMatch(
      /broke \(\w+\); gave up after 1 attempt; run the same command to continue after 100000 bytes$/,
    );
    expect((await readdir(folder)).sort()).toEqual(['model.safetensors.part', 'model.safetensors.part.json']);
    await download();
    await expectWhole();
    const resumed = server().seen.at(-1)?.headers;
    expect([resumed?.range, resumed?.['if-range']]).toEqual([
      'bytes=100000-',
      expect.stringMatching(/^"[0-9a-f]{16}"$/),
    ]);
  });

  test('from the start if the server does not support ranges', async () => {
    server().ignoreRanges = true;
    plan({ dropAfter: 100_000 });
    await download();
    await expectWhole();
    expect(received).toBe(CONTENT.length);
  });

  test('without entity tags, because the hash of the whole file decides', async () => {
    server().sendTags = false;
    plan({ dropAfter: 100_000 });
    await download();
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined, 'bytes=100000-']);
    expect(server().seen.at(-1)?.headers['if-range']).toBeUndefined();
  });

  test('from the start without entity tags or a hash', async () => {
    server().sendTags = false;
    plan({ dropAfter: 100_000 });
    await download({ hash: undefined });
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined, undefined]);
  });
});

describe('never mixes the bytes of different files', () => {
  const changed = someBytes(CONTENT.length, 7);
  const unknown = { hash: undefined, size: undefined };

  test.each([false, true])('if the file changes; the server ignores If-Range: %s', async (ignored) => {
    server().ignoreIfRange = ignored;
    plan({ dropAfter: 100_000 });
    await refusal(download(unknown, { retries: 0 }));
    server().files.set(PATH, changed);
    await download(unknown);
    await expectWhole(changed);
    if (ignored) expect(reasons.at(-1)).toMatch(/the file on the server has changed/);
  });

  test('if the URL is another one', async () => {
    plan({ dropAfter: 100_000 });
    await refusal(download(unknown, { retries: 0 }));
    server().files.set('/other', changed);
    await download({ ...unknown, url: server().url('/other') });
    await expectWhole(changed);
    expect(server().ranges('/other')).toEqual([undefined]);
  });

  test('if the partial file was damaged on disk: downloads once more from the start', async () => {
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

  test('if the partial file is too long; a complete one is not requested again', async () => {
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

  test('if the server has fewer bytes than the partial file', async () => {
    await writeFile(`${target()}.part.json`, JSON.stringify({ contents: sha256Of(CONTENT), validator: null }));
    await writeFile(`${target()}.part`, new Uint8Array(CONTENT.length + 1));
    await download({ size: undefined });
    await expectWhole();
    expect(reasons).toEqual([expect.stringMatching(/fewer bytes than were received earlier/)]);
  });

  test('if the note beside the partial file was cut off', async () => {
    await writeFile(`${target()}.part.json`, '{"contents":"');
    await writeFile(`${target()}.part`, new Uint8Array(100));
    await download();
    await expectWhole();
    expect(server().ranges(PATH)).toEqual([undefined]);
  });
});

describe('responses', () => {
  test('5xx and 429 are retried; waits double unless the server sends Retry-After', async () => {
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

  test('gives up when the attempts run out', async () => {
    plan(...Array.from({ length: 9 }, () => ({ status: 500 })));
    expect(await refusal(download())).toBe('model: the server answered 500; gave up after 4 attempts');
    expect(waits).toHaveLength(3);
  });

  test('gives up if the server asks to wait for hours', async () => {
    plan({ status: 429, headers: { 'retry-after': '7200' } });
    expect(await refusal(download())).toBe('model: the server answered 429 and asks to wait 120 minutes');
  });

  test('progress resets the count of failures', async () => {
    plan(...Array.from({ length: 5 }, () => ({ dropAfter: 40_000 })));
    await download({}, { retries: 1 });
    await expectWhole();
    expect(reasons).toHaveLength(5);
  });

  test('other statuses are final', async () => {
    plan({ status: 404 });
    expect(await refusal(download())).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/files\/model\.safetensors: the server answered 404$/,
    );
    plan({ status: 403 });
    expect(await refusal(download())).toMatch(/the server answered 403/);
    expect(waits).toEqual([]);
  });

  test('wrong contents are deleted, and the message has both hashes', async () => {
    const wrong = someBytes(CONTENT.length, 3);
    plan({ instead: wrong });
    expect(await refusal(download())).toBe(
      `model: wrong contents, deleted: expected sha-256 ${sha256Of(CONTENT)}, found ${sha256Of(wrong)}`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('a range of a file of unknown length', async () => {
    plan({ dropAfter: 100_000 }, { extraHeaders: { 'content-range': `bytes 100000-${CONTENT.length - 1}/*` } });
    const { bytes } = await download({ size: undefined });
    expect([bytes, reasons.length]).toEqual([CONTENT.length, 1]);
    await expectWhole();
  });

  test('a web page instead of the file, and more bytes than the limit', async () => {
    plan(...Array.from({ length: 4 }, () => ({ instead: someBytes(99) })));
    expect(await refusal(download())).toMatch(/expected 300000 bytes, the server has 99; gave up after 4 attempts$/);
    expect(await refusal(download({ size: undefined, limit: 1000 }))).toMatch(/300000 bytes, over the limit of 1000/);
  });

  test('compression that was not requested', async () => {
    plan({ extraHeaders: { 'content-encoding': 'gzip' } });
    expect(await refusal(download())).toMatch(/sent compressed \(gzip\) although that was not requested/);
  });

  test('no server', async () => {
    const gone = await TestServer.start();
    const url = gone.url(PATH);
    await gone.stop();
    expect(await refusal(download({ url }))).toMatch(
      /connection to 127\.0\.0\.1:\d+ broke \(ECONNREFUSED\); gave up after 4/,
    );
    waits.length = 0;
    expect(await refusal(download({ url: new URL('http://nowhere.invalid/') }))).toMatch(
      /^model: nowhere\.invalid cannot be found \(\w+\); gave up after 2 attempts; check the network and the proxy .*--endpoint.*--from/,
    );
    expect(waits).toHaveLength(1);
  });
});

test('a folder that cannot be written', async () => {
  expect(await refusal(download({ path: `${folder}/none/model` }))).toMatch(
    /none\/model: cannot be written \(no such file or folder\)/,
  );
});
