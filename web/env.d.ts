/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the documentation is, relative to the page and with a slash at the end, if it is built to lie beside it (`npm run docs:build`). */
  readonly VITE_DOCS?: string;
  /** Of package.json (links.ts). */
  readonly VITE_HOMEPAGE?: string;
  readonly VITE_REPOSITORY?: string;
}

/** The colours of reports (vite.config.ts). */
declare module 'virtual:colors.css';
