/**
 * The page's style sheet. Colours are custom properties, which the charts use too; dark is chosen by the reader's system. Nothing scrolls
 * sideways but tables and wide charts, inside their own frames.
 */

/**
 * The colours, also of other pages that show these charts.
 *
 * `--heat` and `--heat-below` are laid over the paper as strongly as a cell's shade says. They are chosen so that both cross the brightness at which
 * black and white text are equally legible (4.5 : 1) near the same strength, `STRONG_SHADE` of drawing.ts, in both schemes.
 */
export const COLORS = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f8; --ink: #1b1f24; --muted: #57606a; --rule: #d9dee3;
  --series-1: #1f5fbf; --series-2: #b4450f; --series-3: #1a7f37; --right: #1a7f37; --wrong: #b42318;
  --line-1: #1f5fbf; --line-2: #b4450f; --line-3: #1a7f37; --line-4: #7d3fd1; --line-5: #0b7a83; --line-6: #b5307f; --line-7: #776500;
  --heat: #08306b; --heat-below: #6b2706; --heat-ink: #000000; --heat-strong-ink: #ffffff;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #16191d; --panel: #1d2126; --ink: #e6e8eb; --muted: #a0a8b2; --rule: #343b43;
    --series-1: #6ea8ff; --series-2: #ff9b5e; --series-3: #5fd08a; --right: #5fd08a; --wrong: #ff8a80;
    --line-1: #6ea8ff; --line-2: #ff9b5e; --line-3: #5fd08a; --line-4: #c39bff; --line-5: #4fd1d9; --line-6: #ff8cc8; --line-7: #d9c24a;
    --heat: #6ea8ff; --heat-below: #e88a4a; --heat-ink: #ffffff; --heat-strong-ink: #000000;
  }
}
`.trim();

/** The style sheet of a report. */
export const STYLE = `
${COLORS}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
}
main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1, h2, h3, p, li, dt, dd, td, th, figcaption, summary { overflow-wrap: anywhere; }
h1, h2, h3, td, th, dd, figcaption, code { unicode-bidi: isolate; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0.25rem 0 0.5rem; }
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 0.5rem; }
h3 { font-size: 1rem; font-weight: 650; margin: 1.75rem 0 0.5rem; }
p { margin: 0 0 1rem; max-width: 42rem; }
.kicker { color: var(--muted); font-size: 0.875rem; margin: 0; }
.lead, .made { color: var(--muted); }
.made { font-size: 0.875rem; max-width: none; }
.verdict-line { font-size: 1.0625rem; }
.notice { border-left: 3px solid var(--series-2); padding: 0.1rem 0 0.1rem 0.9rem; }
code { font: 0.875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
a { color: var(--series-1); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--series-1); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 1.25rem 0 0; padding: 0; font-size: 0.9375rem; }
nav a { display: inline-block; padding: 0.2rem 0; }
section { border-top: 1px solid var(--rule); margin-top: 2.75rem; padding-top: 1.5rem; }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem 1.5rem; margin: 1.75rem 0 0; }
.headline div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.headline dt { color: var(--muted); font-size: 0.875rem; line-height: 1.35; }
.headline dd { margin: 0; font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19.5rem), 1fr)); gap: 2rem 1.75rem; align-items: start; margin: 1.25rem 0 0; }
.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 22.5rem), 1fr)); }
.charts > div { min-width: 0; } .charts h3 { margin-top: 0; font-size: 0.9375rem; }
figure { margin: 0; min-width: 0; }
figure.chart { max-width: 30rem; }
figure.wide { max-width: none; grid-column: 1 / -1; }
figcaption { font-size: 0.9375rem; font-weight: 600; line-height: 1.4; margin-bottom: 0.4rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; font-size: 0.8125rem; font-weight: 400; color: var(--muted); }
.key { display: inline-flex; align-items: center; gap: 0.4rem; }
.key i { position: relative; width: 1.75rem; height: 0; border-top: 2px solid; flex: none; }
.key .line.second { border-top-style: dashed; } .key .line.third { border-top-style: dotted; }
.key .line.muted { border-top: 2px dashed; }
.key .line::after { content: ""; position: absolute; left: calc(50% - 3.5px); top: -4.5px; width: 7px; height: 7px; background: currentColor; }
.key .line.first::after { border-radius: 50%; }
.key .line.third::after { clip-path: polygon(50% 0, 100% 100%, 0 100%); }
.key .line.muted::after { transform: rotate(45deg); }
.key .faint { opacity: 0.45; border-top-width: 1px; }
.key .dashed { border-top: 1px dashed; }
.key .dot, .key .ring, .key .square { width: 0.5rem; height: 0.5rem; border: 0; background: currentColor; }
.key .dot { border-radius: 50%; } .key .dot.first { opacity: 0.75; }
.key .ring { border: 1px solid; border-radius: 50%; background: none; }
.key .square { border: 2px solid; background: none; }
.key .bar { width: 2px; height: 0.9rem; border: 0; background: currentColor; }
.key .band { width: 1rem; height: 0.45rem; border: 0; background: currentColor; opacity: 0.22; }
.key .diamond { width: 0.5rem; height: 0.5rem; border: 2px solid; transform: rotate(45deg); }
.first { color: var(--series-1); } .second { color: var(--series-2); } .third { color: var(--series-3); } .muted { color: var(--muted); }
.drawing svg { display: block; width: 100%; height: auto; }
.note { color: var(--muted); font-size: 0.8125rem; line-height: 1.45; margin: 0.35rem 0 0; }
.note.wide { max-width: 42rem; margin: 1rem 0 0; }
.scroll { overflow-x: auto; max-width: 100%; }
details { margin: 0.5rem 0 0; font-size: 0.875rem; }
summary { color: var(--muted); cursor: pointer; width: fit-content; padding: 0.15rem 0; }
details .scroll { max-height: 24rem; overflow: auto; }
table { border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; font-variant-numeric: tabular-nums; margin: 0.25rem 0; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.35rem; }
th, td { padding: 0.35rem 0.9rem 0.35rem 0; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--rule); overflow-wrap: normal; }
th { font-weight: 600; }
th:first-child, td:first-child, .words th, .words td, .facts th, .facts td { text-align: left; }
tr > :last-child { padding-right: 0.25rem; }
tbody th { font-weight: 400; }
.numbers tbody th { min-width: 5.5rem; }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
td small { display: block; color: var(--muted); font-size: 0.8125rem; white-space: nowrap; }
td { white-space: nowrap; }
.facts { width: 100%; max-width: 52rem; }
.facts th { width: 13rem; color: var(--muted); }
.facts th, .facts td { white-space: normal; overflow-wrap: anywhere; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.75rem, 1fr)); gap: 1.5rem 1.25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
.cases li { min-width: 0; font-size: 0.875rem; line-height: 1.4; }
.picture { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; background: var(--panel); border-radius: 3px; }
.absent { display: flex; align-items: center; justify-content: center; color: var(--muted); font-size: 0.8125rem; text-align: center; padding: 0.5rem; }
.verdict { font-weight: 600; margin: 0.5rem 0 0; } .verdict.right { color: var(--right); } .verdict.wrong { color: var(--wrong); }
.cases p { max-width: none; margin: 0.1rem 0 0; }
.cases .verdict { margin-top: 0.5rem; }
.file { color: var(--muted); font-size: 0.8125rem; }
.weighted + .weighted { margin-top: 1.75rem; }
.weighted { display: grid; grid-template-columns: 8.75rem minmax(0, 1fr); gap: 1.25rem; align-items: start; }
footer { color: var(--muted); font-size: 0.8125rem; margin-top: 3rem; }
@media (max-width: 34rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .headline { grid-template-columns: repeat(2, 1fr); }
  .headline dd { font-size: 1.5rem; }
  .cases { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .weighted { grid-template-columns: minmax(0, 1fr); }
  .weighted .picture, .weighted .absent { max-width: 8.75rem; }
  .facts th { width: 8rem; }
  th, td { padding-right: 0.5rem; }
  td:last-child { white-space: normal; }
}
@page { margin: 14mm 13mm; }
@media print {
  html { font-size: 13px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  nav, details:not([open]) { display: none; }
  section { margin-top: 1.5rem; padding-top: 1rem; }
  h2, h3, figcaption, thead, section > p { break-after: avoid; }
  figure, p, .scroll, .cases li, .weighted, .headline, .headline div, .notice { break-inside: avoid; }
  /* A grid with a single column of figures is cut between them; side by side, between its rows. */
  .charts { gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
  .scroll { overflow: visible; }
  figure.wide .drawing { max-width: 100%; }
  .cases { grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1rem; }
  .weighted { grid-template-columns: 7rem minmax(0, 1fr); }
  a { color: inherit; text-decoration: none; }
}
`.trim();
