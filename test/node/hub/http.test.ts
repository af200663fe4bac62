/** Redirects, the token, proxies. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HttpClient, type HttpOptions, isLocal, parseHttpUrl, shownUrl } from '../../../src/node/hub/http.js';
import { TestServer, testServer } from './test-server.js';

const server = testServer();
const TOKEN = 'hf_secret';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function get(url: URL, options: Partial<HttpOptions> = {}): Promise<string> {
  using client = new HttpClient({ stallAfter: 5000, ...options });
  const answer = await client.get(url);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const text = (words: string) => new TextEncoder().encode(words);

describe('redirects', () => {
  test('are followed, and the token is sent to its own host only', async () => {
    const other = await TestServer.start();
    try {
      server().plans.set('/start', [{ redirectTo: '/second' }]);
      server().plans.set('/second', [{ redirectTo: `${other.origin}/third?signature=abc` }]);
      other.files.set('/third', text('here'));
      expect(await get(server().url('/start'), { token: TOKEN, tokenOrigin: server().origin })).toBe('here');
      expect(server().seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
      expect(other.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await other.stop();
    }
  });

  test('in a circle, to another scheme or to an invalid URL are refused', async () => {
    server().plans.set(
      '/round',
      Array.from({ length: 20 }, () => ({ redirectTo: '/round' })),
    );
    await expect(get(server().url('/round'))).rejects.toThrow(/more than 8 redirects/);
    for (const [redirectTo, message] of [
      ['file:///etc/passwd', /redirected to file:, which is not followed/],
      ['http://[', /redirected to an invalid URL/],
    ] as const) {
      server().plans.set('/off', [{ redirectTo }]);
      await expect(get(server().url('/off'))).rejects.toThrow(message);
    }
  });
});

test('local addresses are told in all their forms, for redirects from elsewhere to them', () => {
  const local = [
    'localhost',
    'a.localhost.',
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0.0.0.0',
    '169.254.169.254',
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:169.254.169.254]',
  ];
  for (const host of local) expect(isLocal(new URL(`http://${host}/x`)), host).toBe(true);
  for (const host of ['huggingface.co', '8.8.8.8', '[2606:4700::1]', 'localhost.example', '[::ffff:8.8.8.8]'])
    expect(isLocal(new URL(`http://${host}/x`)), host).toBe(false);
});

test('a server elsewhere that redirects to this machine is not followed', async () => {
  // A proxy stands for the server elsewhere.
  server().plans.set('/x', [{ redirectTo: `${server().origin}/metadata` }]);
  vi.stubEnv('HTTP_PROXY', server().origin);
  await expect(get(new URL('http://hub.example/x'))).rejects.toThrow(
    /^http:\/\/hub\.example\/x: redirected to the local address 127\.0\.0\.1:\d+, which is not followed$/,
  );
});

test('a server that sends a byte now and then, or interim responses without end, is given up', async () => {
  const slow = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const endless = createServer((_request, response) => {
    const timer = setInterval(() => response.writeProcessing(), 20);
    response.on('close', () => clearInterval(timer));
  });
  for (const [one, message] of [
    [slow, /sends less than 1000 bytes\/s/],
    [endless, /does not come to a response/],
  ] as const) {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    try {
      const url = new URL(`http://127.0.0.1:${(one.address() as AddressInfo).port}/`);
      await expect(get(url, { stallAfter: 200 })).rejects.toThrow(message);
    } finally {
      one.closeAllConnections();
      one.close();
    }
  }
});

test('a token is sent to its origin only and never shown', async () => {
  server().files.set('/a', text('a'));
  await get(server().url('/a'), { token: TOKEN, tokenOrigin: 'https://huggingface.co' });
  expect(server().seen[0]?.headers.authorization).toBeUndefined();
  const broken = 'hf_se\ncret';
  expect(() => new HttpClient({ stallAfter: 1, token: broken, tokenOrigin: server().origin })).toThrow(
    /^HF_TOKEN: expected letters and digits without white space, found other characters$/,
  );
});

test('URLs in messages contain no passwords or signatures', () => {
  expect(shownUrl(new URL('https://me:secret@host/path?signature=1#x'))).toBe('https://host/path');
  expect(() => parseHttpUrl('ftp://me:secret@host', '--endpoint')).toThrow(/^--endpoint: expected a URL that begins/);
});

describe('proxies', () => {
  async function withProxy(body: (proxy: string, asked: string[]) => Promise<void>): Promise<void> {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('from the proxy');
    });
    proxy.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      await body(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked);
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  }

  test('HTTP_PROXY is used except for hosts in NO_PROXY', async () => {
    await withProxy(async (proxy, asked) => {
      vi.stubEnv('HTTP_PROXY', proxy);
      expect(await get(new URL('http://hub.invalid/a'))).toBe('from the proxy');
      expect(asked).toEqual(['GET http://hub.invalid/a']);
      vi.stubEnv('NO_PROXY', '127.0.0.1');
      server().files.set('/b', text('direct'));
      expect(await get(server().url('/b'))).toBe('direct');
      expect(asked).toHaveLength(1);
    });
  });

  test('https goes through a tunnel', async () => {
    await withProxy(async (proxy, asked) => {
      vi.stubEnv('HTTPS_PROXY', proxy);
      // The server does not speak TLS, so the request fails after the tunnel.
      const { port } = server().url('/');
      await expect(get(new URL(`https://127.0.0.1:${port}/c`))).rejects.toThrow();
      expect(asked).toEqual([`CONNECT 127.0.0.1:${port}`]);
    });
  });

  test('an invalid proxy URL is refused', () => {
    vi.stubEnv('HTTPS_PROXY', 'me:secret@[');
    expect(() => new HttpClient({ stallAfter: 1 })).toThrow(/^HTTP_PROXY or HTTPS_PROXY: expected the URL of a proxy/);
  });
});
