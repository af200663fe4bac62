/**
 * One HTTP GET as downloads need it: redirects are followed here, so that a token reaches no other host; proxies come from
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY; a connection that stays silent ends.
 *
 * Two kinds of trouble leave this file: `TransferError` for what another attempt may get right, `InputError` for what it
 * cannot.
 */
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { InputError } from '../../errors.js';
import { packageVersion } from '../package.js';
import { errorCode } from '../system-error.js';

/** A transfer that broke off or was put off. Trying again is worth while. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  constructor(
    message: string,
    /** How long the server asks to be left alone, in milliseconds. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export interface HttpOptions {
  /** Milliseconds without a byte (connecting, waiting for the answer, or within it) after which a transfer has stalled. */
  readonly stallAfter: number;
  /** Sent to `tokenOrigin` and to nobody else. */
  readonly token?: string | undefined;
  /** Scheme, host and port that the token is for. */
  readonly tokenOrigin?: string | undefined;
}

export interface Answer {
  /** 200 or 206. */
  readonly status: number;
  header(name: string): string | undefined;
  /** The bytes as the server stores them: compression is not asked for, and refused. Read to the end, or `cancel`. */
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

const MAX_REDIRECTS = 8;

/** Failures of TLS that the next attempt would meet again. */
const HOPELESS =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|UND_ERR_INVALID_ARG|ERR_INVALID_)/;

/** Connections of one command. Dispose it at the end: open ones would keep the process running. */
export class HttpClient implements Disposable {
  readonly #dispatcher: Dispatcher;

  constructor(private readonly options: HttpOptions) {
    const { token, stallAfter } = options;
    // Checked here, since a library's message about a bad header might quote it.
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new InputError('HF_TOKEN: expected letters and digits without white space, found other characters');
    }
    try {
      this.#dispatcher = new EnvHttpProxyAgent({
        headersTimeout: stallAfter,
        bodyTimeout: stallAfter,
        connect: { timeout: stallAfter },
        // To plain http, proxies are asked the way they always were; https goes through a tunnel either way.
        proxyTunnel: false,
      });
    } catch {
      throw new InputError('HTTP_PROXY or HTTPS_PROXY: expected the URL of a proxy, such as http://proxy:3128');
    }
  }

  /**
   * Follows redirects from `url` to an answer of 200 or 206. Throws TransferError for what may pass (connections, 408, 429,
   * 5xx), and HttpRefusal for every other status.
   */
  async get(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    let at = url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await this.#ask(at, headers);
      const header = (name: string) => [response.headers[name] ?? []].flat()[0];
      const cancel = () => {
        response.body.on('error', () => {}).destroy();
      };
      const { statusCode: status } = response;
      if (status === 200 || status === 206) {
        const encoding = header('content-encoding');
        if (encoding !== undefined && encoding !== 'identity') {
          cancel();
          throw new InputError(`${shownUrl(at)}: compressed (${encoding}), though that was not asked for`);
        }
        return { status, header, body: readBody(response.body, at), cancel };
      }
      // Read, so that the connection serves again; the explanations of errors are short.
      void response.body.dump({ limit: 2 ** 16 }).catch(() => {});
      const location = header('location');
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
        throw refusal(status, at, header('retry-after'));
      }
      at = redirected(at, location);
    }
    throw new InputError(`${shownUrl(url)}: redirected more than ${MAX_REDIRECTS} times`);
  }

  async #ask(url: URL, headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    const { token, tokenOrigin } = this.options;
    try {
      return await request(url, {
        dispatcher: this.#dispatcher,
        headers: {
          'user-agent': `ptdpc/${packageVersion()}`,
          'accept-encoding': 'identity',
          ...headers,
          ...(token !== undefined && url.origin === tokenOrigin && { authorization: `Bearer ${token}` }),
        },
      });
    } catch (error) {
      throw connectionError(error, url);
    }
  }

  [Symbol.dispose](): void {
    void this.#dispatcher.destroy();
  }
}

/** A status that says no, and will say so again. */
export class HttpRefusal extends InputError {
  constructor(
    readonly status: number,
    url: URL,
  ) {
    super(`${shownUrl(url)}: the server answers ${status}`);
  }
}

/** Parses a URL from the command line or the environment; only http and https are spoken. `what` names it in errors. */
export function parseHttpUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InputError(`${what}: expected a URL that begins with https:// or http://`);
  }
  return url;
}

/** A URL for messages: without user, password or query, where secrets and signatures are. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new InputError(`${shownUrl(from)}: redirected to something that is no URL`);
  const to = new URL(location, from);
  if (!/^https?:$/.test(to.protocol)) {
    throw new InputError(`${shownUrl(from)}: redirected to ${to.protocol}, which is not followed`);
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new InputError(`${shownUrl(from)}: redirected from https to http, which is not followed`);
  }
  return to;
}

function refusal(status: number, url: URL, retryAfter: string | undefined): Error {
  const mayPass = status === 408 || status === 429 || status >= 500;
  if (!mayPass) return new HttpRefusal(status, url);
  return new TransferError(`the server answers ${status}`, milliseconds(retryAfter));
}

/** Retry-After: seconds, or a date (RFC 9110, section 10.2.3). */
function milliseconds(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const delay = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(delay) ? Math.max(0, delay) : undefined;
}

async function* readBody(body: AsyncIterable<Uint8Array>, url: URL): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw connectionError(error, url);
  }
}

function connectionError(error: unknown, url: URL): Error {
  const code = errorCode(error);
  if (HOPELESS.test(code)) return new InputError(`${shownUrl(url)}: cannot be asked (${code})`);
  if (/^UND_ERR_(?:HEADERS|BODY)_TIMEOUT$/.test(code)) return new TransferError(`${url.host} went silent`);
  if (/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return new TransferError(`${url.host} does not answer`);
  if (/^(?:ENOTFOUND|EAI_AGAIN)$/.test(code)) return new TransferError(`${url.hostname} cannot be found (${code})`);
  return new TransferError(`the connection to ${url.host} broke (${code})`);
}
