/** The whole page: one file that loads nothing and runs no script. */
import { type Html, html, type Part, trusted } from '../html.js';
import { STYLE } from './style.js';

export interface Section {
  /** Its anchor: a name of ours, never data. */
  readonly id: string;
  readonly title: string;
  readonly body: Part;
}

export interface Page {
  /** A word or two above the title: what kind of page this is. */
  readonly kind: string;
  readonly title: string;
  /** Content before the sections. */
  readonly opening: Part;
  readonly sections: readonly Section[];
  /** Who wrote the page. */
  readonly footer: string;
}

/** Even markup that slipped through could load and run nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

export function page({ kind, title, opening, sections, footer }: Page): string {
  const document: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} · ${kind}</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
<p class="kicker">${kind}</p>
<h1>${title}</h1>
${opening}
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
${sections.map(section)}
<footer>${footer}</footer>
</main>
</body>
</html>
`;
  return document.text;
}

function section({ id, title, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}
