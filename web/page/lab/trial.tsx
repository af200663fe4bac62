/** The result of a trial: the compiler's messages, if it is wrong, or how fast it is. */
import type { Comparison, Duel, JudgedCase, Parity } from '../../../src/lab/index.js';
import type { LabTime, LabTimings, LabTrial } from '../../protocol-lab.js';
import { DataTable } from '../data-table.js';
import { counted, percent, whole } from '../format.js';
import type { Tried } from './use-lab.js';

/** Wrong cases shown at most. */
const CASES_SHOWN = 5;
/** As `saysLittle` of src/lab/parity.ts, without the engine's code in the page. */
const FEW_CASES = 10;

interface TrialReportProps {
  readonly tried: Tried;
  /** Whether text or sizes are others by now. */
  readonly changed: boolean;
  readonly onGoTo: (line: number, column: number) => void;
}

export function TrialReport({ tried, changed, onGoTo }: TrialReportProps) {
  const { trial } = tried;
  const { compilation, parity, judged, timings, notTimed, name } = trial;
  return (
    <section aria-labelledby="lab-verdict">
      <h2 id="lab-verdict" class={isRight(trial) ? 'right' : 'wrong'}>
        {verdict(trial)}
      </h2>
      {changed && <p class="note">Text or sizes have changed since.</p>}
      <Messages text={tried.text} messages={compilation.messages} onGoTo={onGoTo} />
      {parity && <ParityReport parity={parity} />}
      {judged && <Judged name={name} judged={judged} />}
      {timings && <Timed name={name} timings={timings} />}
      {notTimed !== undefined && <p>Not timed: {notTimed}.</p>}
    </section>
  );
}

function isRight({ parity, judged, timings }: LabTrial): boolean {
  const inSuite = parity !== undefined && parity.wrong.length === 0 && parity.unstable.length === 0;
  return inSuite && (judged === undefined || timings !== undefined);
}

function verdict(trial: LabTrial): string {
  const { compilation, parity } = trial;
  if (!parity) {
    const errors = compilation.messages.filter(({ type }) => type === 'error').length;
    return `Does not compile: ${counted(errors, 'error')}`;
  }
  const { cases, wrong, unstable } = parity;
  if (wrong.length > 0) return `Wrong on ${wrong.length} of ${counted(cases, 'case')}`;
  if (unstable.length > 0) return `Unstable on ${unstable.length} of ${counted(cases, 'case')}`;
  if (!isRight(trial)) return `Wrong on the sizes to time, right on ${counted(cases, 'case')}`;
  return `Right on ${counted(cases, 'case')}`;
}

interface MessagesProps extends Pick<TrialReportProps, 'onGoTo'> {
  readonly text: string;
  readonly messages: LabTrial['compilation']['messages'];
}

function Messages({ text, messages, onGoTo }: MessagesProps) {
  if (messages.length === 0) return null;
  const lines = text.split('\n');
  return (
    <ul class="messages">
      {messages.map(({ type, line, column, text: message }, i) => (
        <li key={i} class={type}>
          {line > 0 && (
            <button type="button" class="quiet" onClick={() => onGoTo(line, column)}>
              line {line}, column {column}
            </button>
          )}{' '}
          <span class="kind">{type}:</span> <span class="said">{message.trim()}</span>
          {line > 0 && <pre>{(lines[line - 1] ?? '').trim()}</pre>}
        </li>
      ))}
    </ul>
  );
}

function ParityReport({ parity }: { readonly parity: Parity }) {
  const { cases, wrong, unstable, leftOut, error, tolerance } = parity;
  return (
    <>
      {wrong.length > 0 && (
        <>
          <p>Against the definition in float64, the largest error of each case:</p>
          <ul class="cases">
            {wrong.slice(0, CASES_SHOWN).map(({ name, comparison }) => (
              <li key={name}>
                <code>{name}</code>
                <Difference comparison={comparison} />
              </li>
            ))}
          </ul>
          {wrong.length > CASES_SHOWN && <p>And {counted(wrong.length - CASES_SHOWN, 'more case')}.</p>}
        </>
      )}
      {wrong.length === 0 && unstable.length > 0 && (
        <p>
          A second run of the same case gave other results: invocations race for the same memory (is a barrier
          missing?). It was so on {unstable.slice(0, CASES_SHOWN).join('; ')}
          {unstable.length > CASES_SHOWN && `, and ${unstable.length - CASES_SHOWN} more`}.
        </p>
      )}
      {wrong.length === 0 && unstable.length === 0 && (
        <p>
          Largest error {exponent(error)} of the largest number of an output (tolerance {exponent(tolerance)}), against
          the definition in float64.
        </p>
      )}
      {wrong.length === 0 && cases < FEW_CASES && leftOut.size > 0 && (
        <p class="note">So few cases say little: most of the suite was left out.</p>
      )}
      {[...leftOut].map(([reason, number]) => (
        <p key={reason} class="note">
          {counted(number, 'case')} left out: {reason}.
        </p>
      ))}
    </>
  );
}

function Judged({ name, judged }: { readonly name: string; readonly judged: JudgedCase }) {
  const { known, reference, wrong } = judged;
  if (!known) return <p class="note">{`${name} was not judged: ${reference}.`}</p>;
  return (
    <ul class="cases">
      {wrong.map(({ name: variant, comparison, later }) => (
        <li key={variant}>
          {`${variant}, held against ${later ? 'its own first call, after many' : reference}: `}
          <code>{name}</code>
          <Difference comparison={comparison} />
        </li>
      ))}
    </ul>
  );
}

function Difference({ comparison }: { readonly comparison: Comparison }) {
  const { worst, wrong, elements, overrun, error } = comparison;
  return (
    <>
      {wrong > overrun && worst && (
        <p class="worst">
          <code>{`${worst.output}[${worst.index.join(', ')}]`}</code> is <b>{single(worst.found)}</b>, expected{' '}
          <b>{single(worst.expected)}</b>
        </p>
      )}
      <p class="note">
        {[
          overrun > 0 && `${counted(overrun, 'number')} written past the end of its outputs`,
          wrong > overrun &&
            `${whole(wrong - overrun)} of ${counted(elements, 'element')} off, ${Number.isNaN(error) ? 'some were never written, or are NaN' : `by up to ${exponent(error)} of the largest`}`,
        ]
          .filter(Boolean)
          .join('; ')}
        .
      </p>
    </>
  );
}

function Timed({ name, timings }: { readonly name: string; readonly timings: LabTimings }) {
  const { cost, times, ceilings, clock, duel } = timings;
  const arithmetic = cost.flops > 0;
  const speed = ({ gflops, gbytes }: LabTime) => (arithmetic ? gflops : gbytes);
  const fastest = Math.max(...times.map(speed));
  return (
    <>
      <h3>Time of {name}</h3>
      {duel && <p>{duelText(duel)}</p>}
      <DataTable
        label={`Times of ${name}`}
        head={['variant', arithmetic ? 'GFLOP/s' : 'GB/s', 'ms a call', 'of ceiling', 'compiled (ms)']}
        rows={times.map((time, i) => [
          <>
            {i === times.length - 1 ? <b>{time.name}</b> : time.name}
            <span class="speed" aria-hidden="true" style={{ width: `${(4 * speed(time)) / fastest}rem` }} />
          </>,
          speed(time).toPrecision(3),
          <>
            {milliseconds(time.seconds)}
            <br />
            <small>{time.quartiles.map(milliseconds).join('–')}</small>
          </>,
          percent(time.share),
          milliseconds(time.compileSeconds),
        ])}
      />
      <p class="note">
        {[arithmetic && `${(cost.flops / 1e9).toPrecision(3)} GFLOP`, `${(cost.bytes / 1e6).toPrecision(3)} MB`]
          .filter(Boolean)
          .join(', ')}{' '}
        a call. Medians and quartiles of turns that all variants take one after the other, by the{' '}
        {clock === 'device' ? "device's own clock" : "browser's clock, which counts queueing too"}; the device's
        ceilings, measured here: {ceilings.gflops.toPrecision(3)} GFLOP/s, copying {ceilings.gbytes.toPrecision(3)}{' '}
        GB/s.
      </p>
    </>
  );
}

/** `Faster than rows: 1.14 times as fast, 95 % sure of 1.10 to 1.19 (15 pairs of turns).` */
function duelText({ rival, verdict, ratio, interval, confidence, pairs }: Duel): string {
  const said = { faster: 'Faster than', slower: 'Slower than', 'not distinguishable': 'Not distinguishable from' };
  const turns = `${counted(pairs, 'pair')} of turns`;
  const sure = interval
    ? `${percent(confidence)} sure of ${interval.map((end) => end.toFixed(2)).join(' to ')} (${turns})`
    : `but ${turns} are too few to tell`;
  return `${said[verdict]} ${rival}: ${ratio.toFixed(2)} times as fast, ${sure}.`;
}

/** As many digits as single precision has. */
function single(value: number): string {
  return String(Number(value.toPrecision(9)));
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toPrecision(3);
}

function exponent(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}
