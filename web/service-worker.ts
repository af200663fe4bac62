/**
 * Keeps the page's own files, so that it works without a network once it was loaded. It answers from its cache only, one cache for each
 * build; a new build is fetched beside the old one and takes over when no page of the old one is left.
 *
 * It adds the headers of `policy.ts` to what it answers. So the policy holds for workers too, and threads work from the second visit on, if a
 * server sends no such headers.
 */
import { HEADERS } from './policy.js';

/** Filled in by vite.config.ts: the addresses of all files, relative to this one, and a name that changes with their contents. */
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

/** What a service worker's global object has, of which TypeScript's library for pages knows nothing. */
interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface AnsweredEvent extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const worker = globalThis as unknown as {
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: AnsweredEvent) => void): void;
};

/** Caches belong to the origin, and two copies of the page may lie on one: each keeps to its own path. A path has no spaces. */
const PREFIX = `ptdpc ${new URL('./', location.href).pathname} `;
const CACHE = `${PREFIX}${__VERSION__}`;

worker.addEventListener('install', (event) => {
  // Past the browser's HTTP cache: that may hold the index.html of an earlier build, whose scripts are gone.
  const files = __FILES__.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const wanted = request.mode === 'navigate' ? './index.html' : request;
  // A script asks with another Origin header than the install did; the file is the same, whatever a server's Vary says.
  const kept = await cache.match(wanted, { ignoreSearch: true, ignoreVary: true });
  const response = kept ?? (await fetch(request));
  // An answer without a body of its own kind (a redirect, an error) cannot be built anew.
  if (!response.ok || response.type === 'opaque') return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}
