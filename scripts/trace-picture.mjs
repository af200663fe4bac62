/**
 * Draws two training steps of a trace that `ptdpc ... --trace` wrote, as docs/images/trace-step.svg:
 *
 *     node dist/cli/main.js demo --out demo --per-class 20 --epochs 1 --device webgpu --trace trace.json
 *     node scripts/trace-picture.mjs trace.json 4 > docs/images/trace-step.svg
 *
 * The number is the first one's, from 1; the very first also compiles kernels.
 */
import { readFile } from 'node:fs/promises';

const [file, number] = process.argv.slice(2);
if (!file || !number || file.startsWith('--')) {
  console.error('usage: node scripts/trace-picture.mjs <trace.json> <step, from 1> > picture.svg');
  process.exit(2);
}
const { traceEvents, otherData } = JSON.parse(await readFile(file, 'utf8'));

/** Bars with begin and end in milliseconds, outer ones before those within them. */
const bars = [];
const open = new Map();
for (const event of traceEvents) {
  const row = `${event.pid} ${event.tid}`;
  if (event.ph === 'B') {
    const bar = { ...event, begin: event.ts / 1000, end: 0 };
    open.set(row, [...(open.get(row) ?? []), bar]);
    bars.push(bar);
  } else if (event.ph === 'E') open.get(row).pop().end = event.ts / 1000;
}
const steps = bars
  .filter(({ pid, name }) => pid === 1 && name === 'step')
  .slice(Number(number) - 1, Number(number) + 1);
if (steps.length < 2) {
  console.error(`${file}: no two steps from ${number} on`);
  process.exit(2);
}
const step = { begin: steps[0].begin, end: steps[1].end };
const inStep = ({ begin, end }) => begin >= step.begin && end <= step.end;
const host = bars.filter((bar) => bar.pid === 1 && inStep(bar));
/** From asking for a step's results to having them; losses and logits come together. */
const waits = [];
for (const { begin, end } of bars.filter(({ name }) => name === 'wait').sort((a, b) => a.begin - b.begin)) {
  if (end <= step.begin || begin >= step.end || waits.some((one) => Math.abs(one.arrived - end) < 1)) continue;
  waits.push({ begin: Math.max(begin, step.begin), end: Math.min(end, step.end), arrived: end });
}
const dispatches = bars.filter((bar) => bar.cat?.startsWith('dispatch') && inStep(bar));
const device = otherData.devices[dispatches[0].pid - 2];

/** Neighbours of one operation and pass, as one. */
const operations = [];
for (const { begin, end, args } of dispatches) {
  const last = operations.at(-1);
  if (last && last.operation === args.operation && last.pass === args.pass) last.end = end;
  else operations.push({ ...args, begin, end });
}

const [left, right, width] = [132, 16, 920];
const length = step.end - step.begin;
const x = (time) => left + ((time - step.begin) / length) * (width - left - right);
const fixed = (value) => String(Math.round(value * 10) / 10);
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const GAP = 1;

/** A bar with its name where that fits, after it for wide ones alone. */
function bar({ begin, end }, y, style, label, small = false) {
  const w = Math.max(0.6, x(end) - x(begin) - GAP);
  const fits = w > label.length * (small ? 6.4 : 7) + 6;
  const rect = `<rect x="${fixed(x(begin))}" y="${y}" width="${fixed(w)}" height="22" rx="2" class="${style}"/>`;
  return fits
    ? `${rect}<text x="${fixed(x(begin) + 4)}" y="${y + 15}" class="on${small ? ' m' : ''}">${escaped(label)}</text>`
    : rect;
}

const passOf = ({ args, name }) => (/^(?:adamW|sgd)$/.test(name) ? 'update' : args.pass);
const part = host.filter(({ name }) => ['forward', 'backward', 'update'].includes(name));
const out = [];
const total = (list) => list.reduce((sum, { begin, end }) => sum + end - begin, 0);
const ms = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

const sums = new Map();
for (const one of dispatches) {
  const sum = sums.get(one.args.operation) ?? { forward: 0, backward: 0, update: 0, all: 0 };
  sum[passOf(one)] += one.end - one.begin;
  sum.all += one.end - one.begin;
  sums.set(one.args.operation, sum);
}
const largest = [...sums].sort(([, a], [, b]) => b.all - a.all);

const time = (name) => ms(total(part.filter((bar) => bar.name === name)));
const passTime = (pass) => ms(total(dispatches.filter((one) => passOf(one) === pass)));
const description =
  `A time line of ${ms(length)}, from a trace. In two steps the host records forward passes in ${time('forward')}, backward passes in ${time('backward')} and ` +
  `updates in ${time('update')}; the results of a step arrive while the next one is recorded or waits in the queue. The device, ${device.device}, runs ` +
  `${dispatches.length} dispatches: ${passTime('forward')} of forward and ${passTime('backward')} of backward passes, and is idle for ` +
  `${ms(length - total(dispatches))} in between. Below are the sums by operation, forward and backward, the largest first: ` +
  `${largest
    .slice(0, 4)
    .map(([operation, { all }]) => `${operation} ${ms(all)}`)
    .join(', ')}.`;

let y = 58;
const label = (title, note) =>
  `<text x="${left - 10}" y="${y + 11}" text-anchor="end">${title}</text><text x="${left - 10}" y="${y + 25}" text-anchor="end" class="s">${note}</text>`;
out.push(label('host', 'main thread'));
for (const one of part) out.push(bar(one, y, one.name, one.name));
y += 30;
out.push(label('results', 'on their way'));
waits.forEach((one, i) => {
  out.push(bar(one, y + 12 * (i % 2), 'wait', '').replace('height="22"', 'height="10"'));
});
y += 44;
out.push(label('device', 'operations'));
for (const one of operations) {
  const pass = /^(?:adamW|sgd)$/.test(one.operation) ? 'update' : one.pass;
  out.push(bar(one, y, pass, one.operation, true));
}
y += 44;
out.push(label('device', 'dispatches'));
for (const one of dispatches) out.push(bar(one, y, passOf(one), one.name, true));
y += 34;
const timesAt = y;
y += 38;
out.push(label('device', 'sums'));
let at = dispatches[0].begin;
for (const [operation, sum] of largest) {
  const begin = at;
  for (const pass of ['forward', 'backward', 'update']) {
    if (sum[pass] > 0) out.push(bar({ begin: at, end: at + sum[pass] }, y, pass, '?'.repeat(500)));
    at += sum[pass];
  }
  const text = `${operation} ${ms(sum.all)}`;
  if (x(at) - x(begin) > 6.4 * text.length + 6)
    out.push(`<text x="${fixed(x(begin) + 4)}" y="${y + 15}" class="on m">${text}</text>`);
}
y += 10;

const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => length / step <= 9) ?? 2000;
for (let t = 0; t <= length; t += every) {
  const at = fixed(x(step.begin + t));
  out.unshift(`<path class="grid" d="M${at} 50V${timesAt}"/>`);
  out.push(`<text x="${at}" y="${timesAt + 16}" class="s" text-anchor="middle">${t === 0 ? '0 ms' : t}</text>`);
}
const height = y + 30;
let legendAt = left;
const legend = [
  ['forward', 'forward'],
  ['backward', 'backward'],
  ['update', 'update of the prompts'],
  ['wait', "a step's results"],
].map(([style, text]) => {
  const item = `<rect x="${legendAt}" y="18" width="22" height="14" rx="3" class="${style}"/><text x="${legendAt + 30}" y="30">${text}</text>`;
  legendAt += 60 + 7 * text.length;
  return item;
});

console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
<title id="title">Two training steps on the host and on the device</title>
<desc id="description">${escaped(description)}</desc>
<style>
:root{--ink:#1f2430;--soft:#5a6272;--line:#c3c9d4;--page:#ffffff;--on:#0f1420;--forward:#8fa9ea;--backward:#f0a35e;--update:#6fbf8b;--wait:#d5dae3}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebf2;--soft:#a6afc0;--line:#434b5a;--page:#14171d;--on:#0f1420;--forward:#7f9be0;--backward:#fb923c;--update:#58b077;--wait:#8a94a6}}
text{font-size:12.5px;fill:var(--ink)}.s{font-size:12px;fill:var(--soft)}.on{fill:var(--on)}.m{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:10.5px}
.page{fill:var(--page)}.grid{stroke:var(--line);stroke-width:1}.forward{fill:var(--forward)}.backward{fill:var(--backward)}.update{fill:var(--update)}.wait{fill:var(--wait)}
</style>
<rect class="page" width="${width}" height="${height}" rx="8"/>
${[...legend, ...out].join('\n')}
</svg>`);
