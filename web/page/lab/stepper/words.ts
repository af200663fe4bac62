/** A step in words and numbers. */
import type { LaneStep, Step, Stepped, StepTrace } from '../../../../src/lab/index.js';

/** Four digits, with a proper minus. */
export function number(value: number): string {
  const short =
    Math.abs(value) >= 1e6 ? value.toExponential(1).replace('e+', 'e') : String(Number(value.toPrecision(4)));
  return short.replace('-', '\u2212');
}

/** `A[1, 3]`, `a_tile[0, 4]`: a word of a buffer or of workgroup memory by its row and column. */
export function placeName({ matrices, memories }: Stepped, name: string, at: number): string {
  const matrix = matrices.find(({ buffer }) => buffer === name);
  if (matrix) {
    const from = at - matrix.offset;
    return `${matrix.title}[${Math.floor(from / matrix.stride)}, ${from % matrix.stride}]`;
  }
  const columns = memories.find((one) => one.name === name)?.columns ?? 1;
  const rows = memories.find((one) => one.name === name)?.rows ?? 1;
  return rows === 1 ? `${name}[${at}]` : `${name}[${Math.floor(at / columns)}, ${at % columns}]`;
}

/** `sum`, `sum[2]`, and for a vector's components `sum[2].x`. */
function sumNames({ text, name }: Step, { at, values }: LaneStep): string[] {
  const element = text.includes('[') ? `${name}[${Math.floor(at / values.length)}]` : text;
  return values.length === 1 ? [element] : values.map((_, i) => `${element}.${'xyzw'[i]}`);
}

/** A lane's sum as formulas with numbers, one for each component. */
export function formulas(step: Step, own: LaneStep): string[] {
  const names = sumNames(step, own);
  return own.values.map((value, i) => {
    const now = `${names[i]} = `;
    if (!own.factors) return `${now}${number(value)}, after ${number(own.before?.[i] ?? 0)}`;
    const [left, right] = own.factors.map((factor) => signed(factor[factor.length === 1 ? 0 : i]!));
    return `${now}${number(own.before?.[i] ?? 0)} + ${left} × ${right} = ${number(value)}`;
  });
}

/** In brackets where a sign would stand behind a sign. */
function signed(value: number): string {
  return value < 0 ? `(${number(value)})` : number(value);
}

/** In short, where a sum has components; their formulas are shown besides. */
function vectorSentence(step: Step, own: LaneStep, lane: number): string {
  const vector = (values: readonly number[]) =>
    values.length === 1 ? number(values[0]!) : `(${values.map(number).join(', ')})`;
  const name = step.text.includes('[') ? `${step.name}[${Math.floor(own.at / own.values.length)}]` : step.name;
  const now = vector(own.values);
  if (!own.factors) return `Lane ${lane}: ${name} = ${now}.`;
  return `Lane ${lane} adds ${own.factors.map(vector).join(' × ')} to ${name}, which is now ${now}.`;
}

/** What happens in a step, to a watched lane and to the others. */
export function sentence(trace: StepTrace, step: Step, lane: number): string {
  const active = step.lanes.filter((one) => one !== undefined);
  const all = `${active.length} of ${trace.lanes} lanes`;
  if (step.kind === 'barrier')
    return `Barrier: each of the ${active.length} lanes waits until the last has come. Then what one has stored, all may load.`;
  const own = step.lanes[lane];
  if (step.kind === 'sum') {
    if (!own) return `Lane ${lane} is idle: ${all} work out ${step.text}.`;
    return own.values.length === 1 ? `Lane ${lane}: ${formulas(step, own)[0]}.` : vectorSentence(step, own, lane);
  }
  const verb = step.kind === 'load' ? 'load' : 'store';
  const what = step.kind === 'load' ? 'from' : 'to';
  const first = own ? `${ownAccess(trace.of, step, own, lane)} ` : `Lane ${lane} is idle. `;
  const different = new Set(active.map(({ at }) => at)).size;
  const title = trace.of.matrices.find(({ buffer }) => buffer === step.name)?.title ?? step.name;
  const others = `${all} ${verb} ${what} ${different === 1 ? 'one place' : `${different} places`} of ${title}`;
  if (step.space === 'storage') return `${first}${others}.`;
  const cost =
    step.cycles === 1 ? 'in one cycle, without a conflict' : `in ${step.cycles} cycles, since places share banks`;
  return `${first}${others}, ${cost}.`;
}

function ownAccess(of: Stepped, { kind, name }: Step, { at, values }: LaneStep, lane: number): string {
  const place = placeName(of, name, at);
  const value = values.map(number).join(', ');
  return kind === 'load'
    ? `Lane ${lane} loads ${place}, which is ${value}.`
    : `Lane ${lane} stores ${value} to ${place}.`;
}
