/**
 * What the page hands to the browser to run as a script or to read as markup. Its policy (Trusted Types, policy.ts) refuses plain strings
 * there, so that neither another place in the page nor one of its packages can do so by mistake.
 */
// Its type only: a module in common with the service worker would be a file of its own, which that could not load.
import type { TrustedName } from './policy.js';

/** Of the browser's interface, which TypeScript's library does not have, what is used here. The results pass for strings. */
interface Factory {
  createPolicy<R extends object>(name: TrustedName, rules: R): R;
}

// Browsers without Trusted Types take the strings.
const { trustedTypes } = globalThis as { readonly trustedTypes?: Factory };
const policyOf = <R extends object>(name: TrustedName, rules: R): R => trustedTypes?.createPolicy(name, rules) ?? rules;

const files = policyOf('ptdpc-files', {
  createScriptURL(url: string): string {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`${url}: not a file of this page`);
    return url;
  },
});

const drawings = policyOf('ptdpc-drawings', {
  createHTML(markup: string): string {
    if (!markup.startsWith('<svg')) throw new TypeError('not a drawing');
    return markup;
  },
});

/** The address of one of the page's own scripts, for a worker. */
export const ownScript = (url: string): string => files.createScriptURL(url);

/** A chart as ECharts drew it, with data escaped. */
export const drawnMarkup = (svg: string): string => drawings.createHTML(svg);
