/** Where documentation and source code are, as package.json names them; a page that lies beside its documentation links there instead. */

export interface PackageAddresses {
  readonly homepage?: string;
  readonly repository?: string | { readonly url: string };
}

export interface Links {
  /** Undefined where package.json names none that a browser opens. */
  readonly homepage: string | undefined;
  readonly repository: string | undefined;
}

export function linksOf({ homepage, repository }: PackageAddresses): Links {
  const source = typeof repository === 'object' ? repository.url : repository;
  return { homepage: webAddress(homepage), repository: webAddress(source) };
}

/** `git+https://host/owner/name.git` and `github:owner/name`, which npm takes too, as people open them. */
function webAddress(text: string | undefined): string | undefined {
  const address = text
    ?.replace(/^git\+/, '')
    .replace(/^github:/, 'https://github.com/')
    .replace(/\.git$/, '');
  return address?.startsWith('https://') ? address : undefined;
}
