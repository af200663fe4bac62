import { afterEach, beforeEach } from 'vitest';
import { TestServer } from '../../support/hub-server.js';

export * from '../../support/hub-server.js';

/** A fresh server for each test of a file. */
export function testServer(): () => TestServer {
  let server: TestServer | undefined;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server?.stop());
  return () => server!;
}
