/** `ptdpc certify`: is this device right, and how fast is it? */
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { counted, InputError } from '../errors.js';
import { largestErrors, triedOf } from '../lab/certify/certificate.js';
import type { Certificate, CertifyStep, MeasuredRates } from '../lab/index.js';
import { requireGpuToTrust } from './device.js';
import { addExamples, jsonOption } from './options.js';
import { firstLines, NegativeResult, print, printLines, say } from './output.js';
import { type Progress, progress } from './progress.js';
import { percent, table } from './tables.js';

interface Options {
  device: 'webgpu' | 'cpu';
  quick?: boolean;
  trustShaders?: boolean;
  out?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Prove a device right, and measure it: every kernel and gradient in every variant against its definition in float64, image encoding and ' +
        'training steps against stored numbers, everything twice; then which variants are fastest, and rates as shares of what the device can do ' +
        'at best. It takes a minute or two on a GPU and on the CPU, and several on a software adapter; nothing is written unless it is done. ' +
        'Attach the certificate to an issue about a device. Exits with 1 where anything is wrong.',
    )
    .addOption(new Option('--device <device>', 'what to certify').choices(['webgpu', 'cpu']).default('webgpu'))
    .option('--quick', 'ten cases of each variant, and less to tune and to time: under a minute on a GPU')
    .option('--out <json>', 'write the certificate to this file, and as a web page beside it (.html)')
    .option(
      '--trust-shaders',
      'without the bounds checks and the zeroed memory that Dawn adds: what other commands then do without',
    )
    .addOption(jsonOption())
    .action(certifyDevice);
  addExamples(command, [
    ['ptdpc certify', "this machine's GPU, in full"],
    ['ptdpc certify --quick --out certificate.json', 'quickly; writes certificate.html too'],
    ['ptdpc certify --device cpu', 'the kernels that run without a GPU'],
  ]);
}

async function certifyDevice({ device, quick = false, trustShaders, out, json }: Options): Promise<void> {
  requireGpuToTrust({ device, trustShaders });
  const page = out === undefined ? undefined : await placeForPage(out);
  const { certificateJson, certify, failureText } = await import('../lab/index.js');
  const { certifiable } = await import('../node/certify.js');
  const { closeGpu } = await import('../node/gpu.js');
  using bars = new StageBars();
  let certificate: Certificate;
  try {
    certificate = await certify(certifiable(device, { trustShaders }), { quick, onStep: (step) => bars.at(step) });
  } finally {
    closeGpu();
  }
  bars[Symbol.dispose]();
  const document = certificateJson(certificate);
  if (out !== undefined && page !== undefined) {
    const { certificatePage } = await import('../report/certificate-page.js');
    const { writeFileAtomically } = await import('../node/atomic.js');
    await writeFileAtomically(out, [document, '\n']);
    await writeFileAtomically(page, [certificatePage(certificate)]);
    say(`written: ${out} and ${page}`);
  }
  if (json) printLines(document);
  else printSummary(certificate);
  const { failures } = certificate;
  if (failures.length === 0) return;
  const lines = failures.map(failureText);
  if (!json) for (const line of firstLines(lines)) print(line, 'red');
  throw new NegativeResult(
    `${certificate.device.description}: not right, ${counted(failures.length, 'failure')}; first ${lines[0]}`,
  );
}

/** The page's path. Throws InputError unless both files can be written. */
async function placeForPage(out: string): Promise<string> {
  if (!out.endsWith('.json'))
    throw new InputError(`--out ${out}: expected a name that ends in .json, beside which the page ends in .html`);
  const { requirePlaceForFile } = await import('../node/atomic.js');
  const { requireFolder } = await import('../node/make-folder.js');
  const page = `${out.slice(0, -'.json'.length)}.html`;
  await requireFolder(dirname(out), '--out ');
  for (const file of [out, page]) await requirePlaceForFile(file);
  return page;
}

/** A bar for each stage, one after the other; what they are is said to all readers of standard error. */
class StageBars implements Disposable {
  #stage = '';
  #done = 0;
  #bar: Progress | undefined;

  at({ stage, done, total, unit, what }: CertifyStep): void {
    if (stage !== this.#stage) {
      this.#bar?.stop();
      say(`${stage}: ${unit === '' ? what : `${total.toLocaleString('en')} ${unit}`}`);
      this.#bar = progress(total, stage, unit);
      this.#stage = stage;
      this.#done = 0;
    }
    this.#bar?.tick(done - this.#done, what);
    this.#done = done;
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}

/** Kernels whose rates are printed: those that compute the most. */
const RATES_SHOWN = 5;

function printSummary({ device, kernels, references, determinism, tuning, rates, seconds }: Certificate): void {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  const faulty = kernels.filter(
    ({ wrong, unstable, fault }) => wrong.length + unstable.length > 0 || fault !== undefined,
  );
  const off = references.filter(({ error, tolerance }) => !(error <= tolerance));
  const changed = determinism.unstableCases + determinism.changedNumbers;
  const verdict = (wrong: number) => (wrong === 0 ? 'right' : `${wrong} NOT RIGHT`);
  const cases = `${sum(kernels.map((check) => check.cases))} of ${counted(sum(kernels.map(({ suite }) => suite)), 'case')}`;
  const names = new Set(kernels.map(({ kernel }) => kernel)).size;
  const twice = `${counted(determinism.cases, 'case')} and ${counted(determinism.numbers, 'number')}`;
  print(`device     ${device.description}`);
  const tried = triedOf(kernels);
  const untried = kernels.length - tried.length;
  const others = untried === 0 ? '' : `; ${counted(untried, 'variant')} not tried, which this device cannot run`;
  print(
    `kernels    ${verdict(faulty.length)}: ${counted(tried.length, 'variant')} of ${counted(names, 'kernel')}, ${cases}, ${errorText(tried)}${others}`,
  );
  print(`reference  ${verdict(off.length)}: ${counted(references.length, 'output')}, ${errorText(references)}`);
  print(`twice      ${changed === 0 ? 'equal bits' : `${changed} CHANGED`}: ${twice}`);
  if ('timings' in tuning) print(`tuning     ${counted(new Set(tuning.timings.map(({ work }) => work)).size, 'size')}`);
  else print(`tuning     not measured: ${tuning.notMeasured}`);
  if ('kernels' in rates) printRates(rates);
  else print(`rates      not measured: ${rates.notMeasured}`);
  print(`took ${sum(Object.values(seconds)).toFixed(0)} s`);
}

function printRates({ ceilings, kernels }: MeasuredRates): void {
  print(`at best    ${ceilings.gflops.toFixed(1)} GFLOP/s, copying ${ceilings.gbytes.toFixed(1)} GB/s`);
  const most = kernels
    .filter(({ cost }) => cost.flops > 0)
    .sort((one, other) => other.cost.flops - one.cost.flops)
    .slice(0, RATES_SHOWN);
  printLines(
    table(
      [
        ['rates', 'variant', 'ms', 'GFLOP/s', 'of ceiling'],
        ...most.map(({ name, variant, seconds, gflops, share }) => [
          ...[name, variant, (1000 * seconds).toPrecision(3), gflops.toPrecision(3), percent(share)],
        ]),
      ],
      2,
    ),
  );
}

/** `largest error 1.2e-6 (tolerance 2.0e-6); of one, 2.9e-4 (1.0e-3)` */
function errorText(checks: Parameters<typeof largestErrors>[0]): string {
  const [strictest, ...others] = largestErrors(checks);
  if (!strictest) return 'none compared';
  const exponent = (value: number) => value.toExponential(1);
  return [
    `largest error ${exponent(strictest.error)} (tolerance ${exponent(strictest.tolerance)})`,
    ...others.map((one) => `of ${counted(one.checks, 'other')}, ${exponent(one.error)} (${exponent(one.tolerance)})`),
  ].join('; ');
}
