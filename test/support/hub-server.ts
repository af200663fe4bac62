/** A local server that serves files as a hub does, and misbehaves as told, request by request. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** How to respond to one request. Requests without one get a correct response. */
export type Misbehaviour =
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Sends that many bytes and closes the connection when they have been `acknowledge`d. */
  | { readonly dropAfter: number }
  /** The same with a reset, which loses bytes in transit. */
  | { readonly resetAfter: number }
  /** Sends that many bytes, then nothing more. */
  | { readonly stallAfter: number }
  /** Sends a shorter, complete response. */
  | { readonly truncateBy: number }
  | { readonly redirectTo: string }
  /** Sends these bytes instead. */
  | { readonly instead: Uint8Array }
  | { readonly extraHeaders: Record<string, string> };

export interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export class TestServer {
  readonly seen: Seen[] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly plans = new Map<string, Misbehaviour[]>();
  /** Sends the whole file even if a range is requested. */
  ignoreRanges = false;
  /** Sends a range although the file has changed, as servers do that ignore If-Range. */
  ignoreIfRange = false;
  sendTags = true;
  /** 0: no limit. */
  bytesPerSecond = 0;
  readonly #server: Server;
  #closing: { bytes: number; close(): void } | undefined;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  url(path: string): URL {
    return new URL(path, this.origin);
  }

  /** Adds a model repository: its list of files, and the files. */
  addRepository(
    id: string,
    files: Readonly<Record<string, Uint8Array | string>>,
    { commit = 'c'.repeat(40), revision = 'main', large = [] as readonly string[] } = {},
  ): void {
    const siblings = Object.entries(files).map(([rfilename, content]) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      this.files.set(`/${id}/resolve/${commit}/${rfilename}`, bytes);
      const blobId = gitBlobId(bytes);
      const lfs = { sha256: sha256Of(bytes), size: bytes.length, pointerSize: 134 };
      return { rfilename, size: bytes.length, blobId, ...(large.includes(rfilename) && { lfs }) };
    });
    const list = new TextEncoder().encode(JSON.stringify({ id, sha: commit, siblings }));
    for (const name of [revision, commit]) this.files.set(`/api/models/${id}/revision/${name}`, list);
  }

  /** The ranges requested from a path, in order; undefined for the whole file. */
  ranges(path: string): (string | undefined)[] {
    return this.seen.filter((request) => request.path === path).map(({ headers }) => headers.range);
  }

  /** Tells that the client has read `bytes` more: closing the connection earlier would lose what it has not read. */
  acknowledge(bytes: number): void {
    if (!this.#closing || bytes < 0) return;
    this.#closing.bytes -= bytes;
    if (this.#closing.bytes > 0) return;
    this.#closing.close();
    this.#closing = undefined;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', this.origin).pathname;
    this.seen.push({ path, headers: request.headers });
    const plan = this.plans.get(path)?.shift();
    if (plan && 'status' in plan) {
      response.writeHead(plan.status, plan.headers).end('no');
      return;
    }
    if (plan && 'redirectTo' in plan) {
      response.writeHead(302, { location: plan.redirectTo }).end();
      return;
    }
    const file = plan && 'instead' in plan ? plan.instead : this.files.get(path);
    if (!file) {
      response.writeHead(404).end('Entry not found');
      return;
    }
    this.#send(request, response, file, plan);
  }

  #send(request: IncomingMessage, response: ServerResponse, file: Uint8Array, plan: Misbehaviour | undefined): void {
    const tag = `"${sha256Of(file).slice(0, 16)}"`;
    const ifRange = request.headers['if-range'];
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const matches = ifRange === undefined || ifRange === tag || this.ignoreIfRange;
    const start = from !== undefined && matches && !this.ignoreRanges ? Number(from) : undefined;
    const tags = this.sendTags ? { etag: tag } : {};
    if (start !== undefined && start >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const part = file.subarray(start ?? 0);
    const extra = plan && 'extraHeaders' in plan ? plan.extraHeaders : {};
    const length = part.length - (plan && 'truncateBy' in plan ? plan.truncateBy : 0);
    response.writeHead(start === undefined ? 200 : 206, {
      'content-length': length,
      ...(start !== undefined && { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` }),
      ...tags,
      ...extra,
    });
    if (plan && 'dropAfter' in plan) {
      response.write(part.subarray(0, plan.dropAfter));
      this.#closing = { bytes: plan.dropAfter, close: () => response.socket?.end() };
    } else if (plan && 'resetAfter' in plan) {
      response.write(part.subarray(0, plan.resetAfter), () => response.socket?.resetAndDestroy());
    } else if (plan && 'stallAfter' in plan) response.write(part.subarray(0, plan.stallAfter));
    else if (this.bytesPerSecond > 0) void trickle(response, part, this.bytesPerSecond);
    else response.end(part.subarray(0, length));
  }
}

/** Sends a piece every hundredth of a second. */
async function trickle(response: ServerResponse, bytes: Uint8Array, bytesPerSecond: number): Promise<void> {
  const piece = Math.ceil(bytesPerSecond / 100);
  for (let sent = 0; sent < bytes.length && !response.destroyed; sent += piece) {
    response.write(bytes.subarray(sent, sent + piece));
    await setTimeout(10);
  }
  response.end();
}

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export const gitBlobId = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Pseudo-random bytes. */
export function someBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
