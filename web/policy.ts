/** Names of the policies that `trusted.ts` makes. */
const TRUSTED = ['ptdpc-files', 'ptdpc-drawings'] as const;
export type TrustedName = (typeof TRUSTED)[number];

/**
 * What the page may do. It loads nothing but its own files and sends nothing anywhere; `wasm-unsafe-eval` lets it compile WebAssembly (the
 * CPU's kernels, the decoders of JPEG and WebP), `blob:` shows pictures that the user chose. Only `trusted.ts` makes what the browser runs or
 * reads as markup. docs/web.md says how a server sends this.
 */
const DIRECTIVES = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'connect-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' blob:",
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': TRUSTED.join(' '),
} as const;

const text = (directives: Readonly<Record<string, string>>) =>
  Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ');

/** As the page itself can state it. */
export const PAGE_POLICY = text(DIRECTIVES);

/** What a server should send with every file. Isolation permits shared memory, and with it threads on the CPU. */
export const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': text({ ...DIRECTIVES, 'frame-ancestors': "'none'" }),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
