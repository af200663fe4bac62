/** The page of a certificate: what `certify` of src/lab found of a device. Without charts, so that it needs no ECharts. */
import {
  type Certificate,
  type Failure,
  largestErrors,
  type MeasuredRates,
  type MeasuredTuning,
  triedOf,
} from '../lab/certify/certificate.js';
import type { KernelCheck } from '../lab/certify/kernel-checks.js';
import { REFERENCE_OUTPUTS } from '../lab/certify/reference-model.js';
import { counted, type Html, html, type Part, percent, shortest, whole } from './format.js';
import { facts, page, type Section, type Table, table } from './page/document.js';

/** More variants are counted. */
const MOST_NAMED = 6;

/** One file that loads nothing and runs no script. */
export function certificatePage(certificate: Certificate): string {
  const { device, host, date, quick, failures, tuning, rates } = certificate;
  const sections: (Section | false)[] = [
    failures.length > 0 && { id: 'failures', title: 'Failures', body: failuresSection(failures) },
    { id: 'device', title: 'Device', body: deviceSection(certificate) },
    { id: 'kernels', title: 'Kernels', body: kernelsSection(certificate) },
    { id: 'references', title: 'Reference numbers', body: referencesSection(certificate) },
    { id: 'determinism', title: 'Determinism', body: determinismSection(certificate) },
    { id: 'tuning', title: 'Tuning', body: 'tuning' in tuning ? tuningSection(tuning) : absent(tuning.notMeasured) },
    { id: 'rates', title: 'Rates', body: 'kernels' in rates ? ratesSection(rates) : absent(rates.notMeasured) },
  ];
  return page({
    kind: 'PT-DPC device certificate',
    title: device.description,
    opening: html`<p class="verdict ${failures.length === 0 ? 'right' : 'wrong'}">${
      failures.length === 0 ? 'Right: nothing failed.' : `Not right: ${counted(failures.length, 'failure')}.`
    }</p>
<p class="lead">${quick ? 'A quick check' : 'A full check'} of ${date}. The device was held against float64 definitions of every kernel
and against stored numbers, everything twice, and measured.</p>
${keyFigures(certificate)}`,
    sections: sections.filter((section) => section !== false),
    footer: `Written by ptdpc ${host.ptdpc}. This page loads nothing and runs no script.`,
  });
}

function keyFigures({ kernels, determinism, rates }: Certificate): Html {
  const cases = kernels.reduce((sum, check) => sum + check.cases, 0);
  const tried = triedOf(kernels);
  const untried = kernels.length - tried.length;
  const figures: [string, string][] = [
    [`cases of ${counted(tried.length, 'variant')} of kernels`, whole(cases)],
    ...(untried > 0 ? [['variants that this device cannot run', whole(untried)] as [string, string]] : []),
    ...largestErrors(tried).map(({ tolerance, error }): [string, string] => [
      `largest error of right cases where ${exponent(tolerance)} of the largest number is tolerated`,
      exponent(error),
    ]),
    ['other bits in a second run', whole(determinism.unstableCases + determinism.changedNumbers)],
  ];
  if ('kernels' in rates) figures.push(['GFLOP/s at best', shortest(rates.ceilings.gflops, 3)]);
  return html`<dl class="headline">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function failuresSection(failures: readonly Failure[]): Html {
  return table({
    label: 'Failures, each with its worst element',
    head: ['where', 'what', 'case', 'element', 'found', 'expected', 'detail'],
    rows: failures.map(({ where, what, case: name, worst, detail }) => [
      ...[where, what, name],
      ...(worst ? [`${worst.output}[${worst.index.join(', ')}]`, worst.found, worst.expected] : ['', '', '']),
      detail,
    ]),
    kind: 'words',
  });
}

function deviceSection({ device, host, seconds }: Certificate): Html {
  const { adapter } = device;
  const limits: Table = {
    label: 'Limits of the adapter',
    head: ['limit', 'value'],
    rows: Object.entries(adapter?.limits ?? {}).map(([name, value]) => [name, whole(value)]),
  };
  const took = Object.entries(seconds).map(([stage, time]) => `${stage} ${time.toFixed(1)} s`);
  return html`${facts([
    ['device', device.kind],
    ['adapter', adapter?.description],
    ['vendor', adapter?.vendor],
    ['architecture', adapter?.architecture],
    ['kind of adapter', adapter && (adapter.software ? 'software' : 'hardware')],
    ['smallest subgroup', adapter?.subgroupSize],
    ['features', adapter?.features.join(', ')],
    ...Object.entries(host).map(([name, value]) => [name, value] as const),
    ['time taken', took.join(', ')],
  ])}${adapter && html`<details><summary>Limits</summary>${table(limits)}</details>`}`;
}

function kernelsSection({ kernels, kernelsLeftOut }: Certificate): Html {
  const rows = kernels.map((check) => [
    ...[check.kernel, check.variant, verdictOf(check), whole(check.cases), whole(check.suite - check.cases)],
    ...[exponent(check.error), exponent(check.tolerance)],
  ]);
  return html`${kernelsLeftOut > 0 && html`<p class="notice">${counted(kernelsLeftOut, 'kernel')} not asked for, and so not checked.</p>`}<p>Each case beside the kernel's definition, which is evaluated in float64 on the same numbers. Errors are those of right
cases, relative to the largest number of an output.</p>
${table({
  label: 'Kernels and their variants',
  head: ['kernel', 'variant', 'verdict', 'cases', 'left out', 'largest error', 'tolerance'],
  rows,
})}
<h3>Left out</h3>
${leftOutTable(kernels)}`;
}

/** Why cases were left out, and of which variants. */
function leftOutTable(kernels: readonly KernelCheck[]): Html {
  const reasons = new Map<string, { count: number; of: string[] }>();
  for (const { kernel, variant, leftOut } of kernels) {
    for (const [reason, count] of Object.entries(leftOut)) {
      const known = reasons.get(reason) ?? { count: 0, of: [] };
      known.of.push(`${kernel} (${variant})`);
      reasons.set(reason, { ...known, count: known.count + count });
    }
  }
  if (reasons.size === 0) return html`<p>Nothing.</p>`;
  const rows = [...reasons].map(([reason, { count, of }]) => [
    reason,
    whole(count),
    of.length > MOST_NAMED ? counted(of.length, 'variant') : of.join(', '),
  ]);
  return table({ label: 'Cases left out', head: ['reason', 'cases', 'of'], rows, kind: 'words' });
}

function verdictOf({ wrong, unstable, fault, cases }: KernelCheck): Part {
  const said = [
    fault === undefined ? '' : 'failed',
    wrong.length > 0 ? `wrong on ${wrong.length}` : '',
    unstable.length > 0 ? `unstable on ${unstable.length}` : '',
  ];
  return said.filter(Boolean).join(', ') || (cases > 0 ? 'right' : 'not tried');
}

function referencesSection({ references }: Certificate): Html {
  const wide = references.some(({ model }) => model === 'wide');
  return html`<p>Pictures through an image tower and two steps of prompt tuning, on a narrow model${
    wide ? ' and on one with the widths of ViT-B/32' : '; without the wide one'
  }. The
stored numbers were computed by the definitions in float64. Errors are relative to the largest stored number of an output.</p>
${table({
  label: 'Reference models beside stored numbers',
  head: ['output', 'model', 'compared', 'error', 'tolerance', 'worst found', 'expected'],
  rows: references.map(({ output, model, elements, compared, error, tolerance, worst }) => [
    ...[REFERENCE_OUTPUTS[output], model, `${compared} of ${whole(elements)}`, exponent(error), exponent(tolerance)],
    ...[worst ? `[${worst.index}]: ${digits(worst.found)}` : '', worst ? digits(worst.expected) : ''],
  ]),
})}`;
}

function determinismSection({ determinism: { cases, unstableCases, numbers, changedNumbers } }: Certificate): Html {
  return html`<p>A second run of ${counted(cases, 'case')} of kernels gave other bits in ${whole(unstableCases)} of them. A second run of the
reference models, on a device that was opened anew, changed ${whole(changedNumbers)} of ${counted(numbers, 'number')}.</p>`;
}

/** A row for each piece of work, the fastest variant first. */
function tuningSection({ timings }: MeasuredTuning): Html {
  const works = [...new Set(timings.map(({ work }) => work))];
  const rows = works.map((work) => {
    const [best, ...others] = timings
      .filter((timing) => timing.work === work)
      .sort((one, other) => one.seconds - other.seconds);
    const slower = others.map(({ variant, seconds }) => `${variant} ${shortest(seconds / best!.seconds, 3)} times`);
    return [work, best!.variant, microseconds(best!.seconds), shortest(best!.gflops, 3), slower.join(', ')];
  });
  return html`<p>Which variant is fastest at the sizes of ViT-B/32. Nothing of this is kept for other commands: <code>npx ptdpc autotune</code>
does that.</p>
${table({ label: 'Fastest variants', head: ['work', 'fastest', 'µs', 'GFLOP/s', 'others take as long'], rows })}`;
}

function ratesSection({ ceilings, kernels }: MeasuredRates): Html {
  const rows = kernels.map(({ name, variant, seconds, quartiles, cost, gflops, gbytes, share }) => [
    ...[name, variant, microseconds(seconds), quartiles.map(microseconds).join('–')],
    ...[cost.flops > 0 ? shortest(gflops, 3) : '', shortest(gbytes, 3), percent(share)],
  ]);
  const clocks = [...new Set(kernels.map(({ clock }) => clock))];
  return html`<p>At its best the device did ${shortest(ceilings.gflops, 4)} GFLOP/s and copied ${shortest(ceilings.gbytes, 4)} GB/s. The last
column is the share of the ceiling that is nearer; more than 100 % means that operands stayed in a cache. Times are medians of turns, with
quartiles, by the clock of the ${clocks.join(' and the ')}.</p>
${table({
  label: 'Rates of kernels at their usual sizes',
  head: ['kernel and sizes', 'variant', 'µs', 'quartiles', 'GFLOP/s', 'GB/s', 'of ceiling'],
  rows,
})}`;
}

function absent(reason: string): Html {
  return html`<p class="notice">Not measured: ${reason}.</p>`;
}

/** As many digits as float32 has. */
function digits(value: number): string {
  return shortest(value, 8);
}

function microseconds(seconds: number): string {
  return shortest(seconds * 1e6, 3);
}

function exponent(value: number): string {
  return value === 0 ? '0' : value.toExponential(1).replace('-', '−');
}
