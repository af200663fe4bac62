/**
 * HTTP GET for downloads. Redirects are followed here so that the token reaches no other host; proxies come from HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY; silent connections time out; `withRetries` repeats what may succeed the next time.
 *
 * Errors are of two kinds: `TransferError` if another attempt may succeed, `InputError` if it cannot.
 */
import { setTimeout } from 'node:timers/promises';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { InputError } from '../../errors.js';
import { packageVersion } from '../package.js';
import { errorCode } from '../system-error.js';

/** A failure that another attempt may not meet. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  constructor(
    message: string,
    /** Milliseconds that the server asks clients to wait. */
    readonly retryAfter?: number,
    /** What to do about it, where more than one other attempt hardly helps. */
    readonly advice?: string,
  ) {
    super(message);
  }
}

/** A status that another attempt would not change. */
export class HttpStatusError extends InputError {
  constructor(
    readonly status: number,
    url: URL,
  ) {
    super(`${shownUrl(url)}: the server answered ${status}`);
  }
}

/** All attempts have failed. */
export class RetriesExhausted extends InputError {}

export interface HttpOptions {
  /** Milliseconds without a byte, while connecting or later, after which a transfer counts as stalled. */
  readonly stallAfter: number;
  /** Sent to `tokenOrigin` only. */
  readonly token?: string | undefined;
  /** Scheme, host and port that the token is for. */
  readonly tokenOrigin?: string | undefined;
}

export interface HttpResponse {
  /** 200 or 206. */
  readonly status: number;
  header(name: string): string | undefined;
  /** The bytes as stored on the server, never compressed. Read it to the end or call `cancel`. */
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

const MAX_REDIRECTS = 8;

/** Bytes per second, on average over so many times the stall limit, below which a server only keeps a connection busy. */
const LEAST_RATE = 1000;
const SLOW_STALLS = 2;

/** So many times the stall limit a response may take to begin, whatever interim responses (1xx) arrive meanwhile. */
const HEADER_STALLS = 4;

/** TLS and request errors that would only repeat themselves. */
const PERMANENT =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|UND_ERR_INVALID_ARG|ERR_INVALID_)/;

/** The connections of one command. Open connections keep the process running, so dispose it at the end. */
export class HttpClient implements Disposable {
  readonly #dispatcher: Dispatcher;

  constructor(private readonly options: HttpOptions) {
    const { token, stallAfter } = options;
    // Checked here because undici's error for an invalid header might quote the token.
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new InputError('HF_TOKEN: expected letters and digits without white space, found other characters');
    }
    try {
      this.#dispatcher = new EnvHttpProxyAgent({
        headersTimeout: stallAfter,
        bodyTimeout: stallAfter,
        connect: { timeout: stallAfter },
        // Plain http is forwarded, as proxies expect; https is tunnelled in any case.
        proxyTunnel: false,
      });
    } catch {
      throw new InputError('HTTP_PROXY or HTTPS_PROXY: expected the URL of a proxy, such as http://proxy:3128');
    }
  }

  /**
   * Follows redirects from `url` to a 200 or 206 response. Throws TransferError for connection failures, 408, 429 and 5xx, and
   * HttpStatusError for every other status.
   */
  async get(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> {
    let at = url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await this.#request(at, headers);
      const header = (name: string) => [response.headers[name] ?? []].flat()[0];
      const cancel = () => {
        response.body.on('error', () => {}).destroy();
      };
      const { statusCode: status } = response;
      if (status === 200 || status === 206) {
        const encoding = header('content-encoding');
        if (encoding !== undefined && encoding !== 'identity') {
          cancel();
          throw new InputError(`${shownUrl(at)}: sent compressed (${encoding}) although that was not requested`);
        }
        return { status, header, body: readBody(response.body, at, this.options.stallAfter), cancel };
      }
      // Reading the short body lets the connection be reused.
      void response.body.dump({ limit: 2 ** 16 }).catch(() => {});
      const location = header('location');
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
        const mayPass = status === 408 || status === 429 || status >= 500;
        if (!mayPass) throw new HttpStatusError(status, at);
        throw new TransferError(`the server answered ${status}`, milliseconds(header('retry-after')));
      }
      at = redirectTarget(at, location);
    }
    throw new InputError(`${shownUrl(url)}: more than ${MAX_REDIRECTS} redirects`);
  }

  async #request(url: URL, headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    const { token, tokenOrigin, stallAfter } = this.options;
    const deadline = new AbortController();
    const timer = globalThis.setTimeout(() => deadline.abort(), HEADER_STALLS * stallAfter);
    try {
      return await request(url, {
        dispatcher: this.#dispatcher,
        signal: deadline.signal,
        headers: {
          'user-agent': `ptdpc/${packageVersion()}`,
          'accept-encoding': 'identity',
          ...headers,
          ...(token !== undefined && url.origin === tokenOrigin && { authorization: `Bearer ${token}` }),
        },
      });
    } catch (error) {
      if (deadline.signal.aborted) throw new TransferError(`${url.host} does not come to a response`);
      throw connectionError(error, url);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    void this.#dispatcher.destroy();
  }
}

/** Parses an http or https URL from the command line or the environment. `what` names it in errors. */
export function parseHttpUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InputError(`${what}: expected a URL that begins with https:// or http://`);
  }
  return url;
}

/** A URL for messages, without user, password and query, which may hold secrets. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Whether a URL names this machine (loopback), or a link-local address such as that of a cloud's metadata service. Names are not looked up. */
export function isLocal({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (/(?:^|\.)localhost\.?$/.test(host)) return true;
  // URLs have IPv4 addresses in dotted form, whatever they were written as, and IPv6 addresses in the shortest.
  const v4 = /^::ffff:([0-9a-f]+):/.exec(host)?.[1];
  const first = v4 === undefined ? /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host) : undefined;
  const [a, b] = v4 !== undefined ? bytesOf(v4) : [Number(first?.[1]), Number(first?.[2])];
  if (a === 127 || a === 0 || (a === 169 && b === 254)) return true;
  return host === '::1' || host === '::' || /^fe[89ab][0-9a-f]:/.test(host);
}

/** The upper half of an IPv4 address in hexadecimal. */
function bytesOf(half: string): [number, number] {
  const value = Number.parseInt(half, 16);
  return [value >> 8, value & 255];
}

function redirectTarget(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new InputError(`${shownUrl(from)}: redirected to an invalid URL`);
  const to = new URL(location, from);
  if (!/^https?:$/.test(to.protocol)) {
    throw new InputError(`${shownUrl(from)}: redirected to ${to.protocol}, which is not followed`);
  }
  // A server elsewhere has no business with what only this machine and its link can reach.
  if (isLocal(to) && !isLocal(from))
    throw new InputError(`${shownUrl(from)}: redirected to the local address ${to.host}, which is not followed`);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new InputError(`${shownUrl(from)}: redirected from https to http, which is not followed`);
  }
  return to;
}

/** Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3). */
function milliseconds(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const delay = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(delay) ? Math.max(0, delay) : undefined;
}

async function* readBody(body: AsyncIterable<Uint8Array>, url: URL, stallAfter: number): AsyncIterable<Uint8Array> {
  try {
    let since = performance.now();
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      yield chunk;
      const seconds = (performance.now() - since) / 1000;
      if (seconds < (stallAfter / 1000) * SLOW_STALLS) continue;
      if (bytes / seconds < LEAST_RATE) throw new TransferError(`${url.host} sends less than ${LEAST_RATE} bytes/s`);
      since = performance.now();
      bytes = 0;
    }
  } catch (error) {
    if (error instanceof TransferError) throw error;
    throw connectionError(error, url);
  }
}

const OFFLINE = 'check the network and the proxy (HTTPS_PROXY), or take a mirror (--endpoint) or a local file (--from)';

function connectionError(error: unknown, url: URL): Error {
  const code = errorCode(error);
  if (PERMANENT.test(code)) return new InputError(`${shownUrl(url)}: the request failed (${code})`);
  if (/^UND_ERR_(?:HEADERS|BODY)_TIMEOUT$/.test(code)) return new TransferError(`${url.host} stopped sending data`);
  if (/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return new TransferError(`${url.host} does not respond`);
  if (/^(?:ENOTFOUND|EAI_AGAIN)$/.test(code))
    return new TransferError(`${url.hostname} cannot be found (${code})`, undefined, OFFLINE);
  return new TransferError(`the connection to ${url.host} broke (${code})`);
}

export interface RetryOptions {
  /** Consecutive failures to tolerate. */
  readonly retries: number;
  /** Called after each failure with the wait that follows, in milliseconds. */
  readonly onRetry?: (reason: string, wait: number) => void;
  /** Replaces the actual waiting, for tests. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
/** Longer than anyone would watch a progress bar stand still. */
const LONGEST_RETRY_AFTER = 300_000;

/**
 * Runs `attempt` until it succeeds, waiting twice as long after each failure, or as long as the server asks. An attempt that got
 * further than all before it, by `progress()`, resets the count of failures: a long download over a poor line may break many
 * times. Before anything has come, a failure with advice is tried once more only. Throws RetriesExhausted, beginning with `what`;
 * errors other than TransferError are passed on.
 */
export async function withRetries<T>(
  what: string,
  { retries, onRetry, sleep = (wait) => setTimeout(wait) }: RetryOptions,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0;
  let best = progress();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      failures = progress() > best ? 1 : failures + 1;
      best = Math.max(best, progress());
      const { message, retryAfter, advice } = error;
      // In the middle of a download a network comes back; one that was never there hardly does.
      const most = advice === undefined || best > 0 ? retries : Math.min(retries, 1);
      if (failures > most) {
        throw new RetriesExhausted(
          `${what}: ${message}; gave up after ${failures} ${failures === 1 ? 'attempt' : 'attempts'}${advice === undefined ? '' : `; ${advice}`}`,
        );
      }
      if (retryAfter !== undefined && retryAfter > LONGEST_RETRY_AFTER) {
        throw new RetriesExhausted(`${what}: ${message} and asks to wait ${Math.ceil(retryAfter / 60_000)} minutes`);
      }
      // Up to a quarter less at random, so that many clients do not return at the same moment.
      const backOff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1)) * (1 - Math.random() / 4);
      const wait = retryAfter ?? backOff;
      onRetry?.(`${what}: ${message}`, wait);
      await sleep(wait);
    }
  }
}
