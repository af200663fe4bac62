/** Links of the page to documentation and source code, as package.json has them. */
import { expect, it } from 'vitest';
import { linksOf } from '../../web/links.js';

it.each([
  [{}, { homepage: undefined, repository: undefined }],
  [{ homepage: 'https://example.org/docs/' }, { homepage: 'https://example.org/docs/', repository: undefined }],
  [{ repository: 'github:owner/name' }, { homepage: undefined, repository: 'https://github.com/owner/name' }],
  [
    { repository: { url: 'git+https://example.org/owner/name.git' } },
    { homepage: undefined, repository: 'https://example.org/owner/name' },
  ],
  [
    { homepage: 'javascript:alert(1)', repository: 'git@example.org:name' },
    { homepage: undefined, repository: undefined },
  ],
])('%j', (addresses, links) => {
  expect(linksOf(addresses)).toEqual(links);
});
