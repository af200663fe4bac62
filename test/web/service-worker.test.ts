/** The built service worker's own logic, with an origin, its HTTP cache and its caches played by the test: no browser is started. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { expect, inject, it } from 'vitest';

const ORIGIN = 'https://host.example';
const source = readFileSync(join(inject('page'), 'service-worker.js'), 'utf8');

/** What is kept of the origin across visits: its caches, and the browser's HTTP cache. */
class Origin {
  readonly caches = new Map<string, Map<string, string>>();
  readonly http = new Map<string, string>();

  constructor(readonly serve: (url: string) => string) {}

  /** A browser's fetch, of a server that permits caching for long. */
  fetch(request: Request): Response {
    const kept = request.cache === 'reload' ? undefined : this.http.get(request.url);
    const body = kept ?? this.serve(request.url);
    this.http.set(request.url, body);
    return new Response(body);
  }
}

/** Starts `source` as the worker of a folder. The returned function fires an event and waits for what the worker does about it. */
function start(origin: Origin, folder: string, text = source) {
  const base = `${ORIGIN}${folder}service-worker.js`;
  const listeners = new Map<string, (event: object) => void>();
  const absolute = (url: string) => new URL(url, base).href;
  class FromHere extends Request {
    constructor(input: string | Request, init?: RequestInit) {
      super(typeof input === 'string' ? absolute(input) : input, init);
    }
  }
  const open = async (name: string) => {
    const cache = origin.caches.get(name) ?? new Map<string, string>();
    origin.caches.set(name, cache);
    return {
      addAll: async (files: (string | Request)[]) => {
        for (const file of files) {
          const request = new FromHere(file);
          cache.set(request.url, await origin.fetch(request).text());
        }
      },
      match: async (wanted: string | Request) => {
        const body = cache.get(typeof wanted === 'string' ? absolute(wanted) : wanted.url);
        return body === undefined ? undefined : new Response(body);
      },
    };
  };
  const scope = {
    ...{ URL, Headers, Response, Request: FromHere },
    location: new URL(base),
    clients: { claim: async () => {} },
    fetch: async (request: Request) => origin.fetch(request),
    caches: {
      open,
      keys: async () => [...origin.caches.keys()],
      delete: async (name: string) => origin.caches.delete(name),
    },
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
  };
  runInContext(text, createContext(scope));
  return async (type: 'install' | 'activate' | 'fetch', request?: object): Promise<Response | undefined> => {
    let done: Promise<unknown> = Promise.resolve();
    const take = (work: Promise<unknown>) => {
      done = work;
    };
    listeners.get(type)!({ request, waitUntil: take, respondWith: take });
    return (await done) as Response | undefined;
  };
}

const navigation = (folder: string) => ({ method: 'GET', mode: 'navigate', url: `${ORIGIN}${folder}` });

/** The worker of another build: its name has another hash. */
const otherBuild = source.replace(/(["'`])[0-9a-f]{12}\1/, '"000000000000"');

it('takes a new build past the HTTP cache, which may hold the page of the build before', async () => {
  let build = 'first';
  const origin = new Origin((url) => `${build} ${new URL(url).pathname}`);
  const first = start(origin, '/page/');
  await first('install');
  await first('activate');
  build = 'second';
  const second = start(origin, '/page/', otherBuild);
  await second('install');
  await second('activate');
  const page = await second('fetch', navigation('/page/'));
  expect(await page?.text()).toBe('second /page/index.html');
  expect(page?.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
  expect(origin.caches.size).toBe(1);
});

it('leaves the caches of other copies on its origin alone', async () => {
  const origin = new Origin((url) => url);
  for (const folder of ['/', '/a/', '/a/b/']) await start(origin, folder)('install');
  origin.caches.set("somebody else's", new Map());
  const names = [...origin.caches.keys()];
  expect(new Set(names).size).toBe(4);
  const next = start(origin, '/a/', otherBuild);
  await next('install');
  await next('activate');
  const [left] = names.filter((name) => !origin.caches.has(name));
  expect(left).toMatch(/^ptdpc \/a\/ [0-9a-f]{12}$/);
  expect(origin.caches.size).toBe(4);
});
