/** What stands behind a number: its formula with the numbers put in, the kernels that compute it, and the multiplications of one lane. */
import { KERNELS, type KernelNote, LANES } from './kernels.js';
import { type Cell, dot, fixed, type Steps } from './steps.js';

export interface Formula {
  readonly title: string;
  /** What the number says, in a sentence. */
  readonly what: string;
  /** The formula, then the same with numbers. */
  readonly lines: readonly string[];
  /** In the order in which they run. */
  readonly kernels: readonly KernelNote[];
  /** Where it is computed, if by no kernel, or what else is to be known. */
  readonly note?: string;
  readonly lane?: Lane;
}

/** The work of one lane, step by step. */
export interface Lane {
  /** Which one it is. */
  readonly where: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is left out between these rows and the last. */
  readonly rest: string | null;
  readonly last: readonly string[];
}

/** Rows of a lane's table before the rest is left out. */
const MOST_ROWS = 8;

/** The formula of a cell. `element`: which number of a token's vector. */
export function formulaOf(cell: Cell, steps: Steps, element: number): Formula {
  switch (cell.step) {
    case 'feature':
      return featureFormula(steps);
    case 'cosine':
      return cosineFormula(steps, cell.row, cell.token);
    case 'weight':
      return weightFormula(steps, cell.row, cell.token);
    case 'prompt':
      return promptFormula(steps, cell.row, cell.token, Math.min(element, steps.width - 1));
    case 'text':
      return textFormula(steps, cell.row);
    case 'logit':
      return logitFormula(steps, cell.row);
    case 'probability':
      return probabilityFormula(steps, cell.row);
  }
}

function featureFormula({ answer: { feature }, width }: Steps): Formula {
  return {
    title: 'The feature f of the picture',
    what:
      `What the image tower makes of the picture: ${width} numbers, divided by their length. Classes and prompts have no part in it, so it is ` +
      'computed once per picture.',
    lines: ['f = v / |v|, v = image tower(picture)', `|f| = ${fixed(Math.sqrt(dot(feature, feature)))}`],
    kernels: [KERNELS.matmul],
    note: 'The last kernel of the image tower is a product with its projection matrix; the host divides by the length.',
  };
}

function cosineFormula(steps: Steps, row: number, token: number): Formula {
  const { feature, cosines } = steps.answer;
  const p = steps.learned(row, token);
  const length = Math.sqrt(dot(p, p));
  const direction = p.map((x) => x / length);
  const value = cosines![row * steps.tokens + token]!;
  const name = place(steps, row, token);
  const column = promptPlace(steps, row) * steps.tokens + token;
  return {
    title: `Cosine of the picture and ${steps.nameOf(row, token)}`,
    what: 'How far the picture’s feature and this learned token point the same way: 1 the same, 0 at right angles, −1 opposite.',
    lines: [
      `cos(f, p[${name}]) = f · p[${name}] / (|f| |p[${name}]|)`,
      `= ${fixed(dot(feature, p))} / (1 × ${fixed(length)}) = ${fixed(value)}`,
    ],
    kernels: [KERNELS.normalizeRows, KERNELS.matmul],
    note: 'normalizeRows divides every token by its length, p̂ = p / |p|; one matrix product then gives the cosines of all tokens.',
    lane: {
      where: `In the plainest version of matmul, workgroup ${Math.floor(column / 16)}, lane (${column % 16}, 0) has this cosine to itself: one loop over the ${steps.width} elements.`,
      ...products(['f[d]', 'p̂[d]'], feature, direction, value),
    },
  };
}

function weightFormula(steps: Steps, row: number, token: number): Formula {
  const at = row * steps.tokens + token;
  const [cosine, value] = [steps.answer.cosines![at]!, steps.answer.weights![at]!];
  const half = steps.answer.options.weight === 'half';
  const expected = half ? (cosine + 1) / 2 : cosine;
  const own = Math.abs(expected - value) < 1e-6;
  const name = place(steps, row, token);
  const number = promptPlace(steps, row) * steps.tokens + token;
  const formula = half ? `w[${name}] = (cos(f, p[${name}]) + 1) / 2` : `w[${name}] = cos(f, p[${name}])`;
  const title = `Weight of ${steps.nameOf(row, token)}`;
  const word = steps.tokenNames[token]!;
  const began = word === '[SOT]' ? '[SOT], the start of every text' : `“${word}”`;
  const what = `How much of this token goes into token ${token + 1} of the picture’s composed prompt. It began as ${began}.`;
  if (!own)
    return {
      title,
      what,
      lines: [`w[${name}] = ${fixed(value)}: not this picture’s own`, `${formula} would be ${fixed(expected)}`],
      kernels: [],
      note: 'A number that is given, not computed.',
    };
  if (!half)
    return {
      title,
      what,
      lines: [formula, `= ${fixed(value)}`],
      kernels: [],
      note: 'With the paper’s s, the identity, nothing is left to compute: the cosine is the weight.',
    };
  return {
    title,
    what,
    lines: [formula, `= (${fixed(cosine)} + 1) / 2 = ${fixed(value)}`],
    kernels: [KERNELS.affine],
    lane: {
      where: `In the plainest version of affine, ${laneOf(number).toLowerCase()} has this weight to itself.`,
      head: ['scale', 'cosine', 'product', 'shift', 'sum'],
      rows: [],
      rest: null,
      last: ['0.5', fixed(cosine), fixed(cosine / 2), '0.5', fixed(value)],
    },
  };
}

function promptFormula(steps: Steps, row: number, token: number, element: number): Formula {
  const { answer, tokens, width } = steps;
  const value = steps.read(row, token)[element]!;
  const j = token + 1;
  if (!answer.weights) {
    const whose = steps.prompts === 1 ? '' : `${steps.promptNames[row]}][`;
    return {
      title: `Token ${j} (${steps.tokenNames[token]}) of the prompt${whose && ` of ${steps.promptNames[row]}`}`,
      what: `Mode ${answer.options.mode} composes nothing: the text tower reads the learned token as it is, for every picture.`,
      lines: [`p[${whose}${j}][${element + 1}] = ${fixed(value)}`],
      kernels: [],
      note: 'The learned numbers themselves.',
    };
  }
  const terms = Array.from({ length: steps.prompts }, (_, i) => {
    const [w, p] = [answer.weights![i * tokens + token]!, steps.learned(i, token)[element]!];
    return { name: steps.promptNames[i]!, w, p };
  });
  const missing = steps.prompts === 1 ? 0 : answer.classCount - steps.prompts;
  let sum = 0;
  const rows = terms.map(({ name, w, p }) => {
    sum += w * p;
    return [name, fixed(w), fixed(p), fixed(w * p), fixed(sum)];
  });
  const shown = terms.slice(0, 3).map(({ w, p }) => `${fixed(w)} × ${fixed(p)}`);
  return {
    title: `Token ${j} (${steps.tokenNames[token]}) of the composed prompt`,
    what: 'The weighted sum of this token over the classes, element by element (Equation 3). It is no word: the text tower reads the vector.',
    lines: [
      `pd[${j}][d] = sum over i of w[i][${j}] p[i][${j}][d]`,
      `pd[${j}][${element + 1}] = ${shown.join(' + ')}${terms.length > shown.length ? ' + …' : ''} = ${fixed(value)}`,
    ],
    kernels: [KERNELS.compose],
    lane: {
      where: `${laneOf(token * width + element)} of compose has element ${element + 1} of token ${j} to itself: one loop over the classes.`,
      head: ['class', `w[i][${j}]`, `p[i][${j}][${element + 1}]`, 'product', 'sum so far'],
      rows: rows.slice(0, MOST_ROWS - 1 + Number(rows.length === MOST_ROWS && missing === 0)),
      rest: rows.length > MOST_ROWS || missing > 0 ? `${answer.classCount - MOST_ROWS + 1} more classes` : null,
      last: ['all', '', '', '', fixed(value)],
    },
  };
}

function textFormula(steps: Steps, row: number): Formula {
  const { answer } = steps;
  const word = steps.classes[row]!;
  const name = answer.composed ? 'pd' : steps.prompts === 1 ? 'p' : `p[${word}]`;
  const start = answer.options.learnSot ? '' : '[SOT] ';
  const cosine = answer.logits[row]! / answer.logitScale;
  return {
    title: `The text of ${word}`,
    what:
      'The frozen text tower reads the prompt, the words of the class and the end token; its output at the end token, divided by its length, is ' +
      `the feature of the text. ${steps.oneText ? 'The prompt is the same for all classes, so its rows are computed once.' : 'Each class has its own prompt.'}`,
    lines: [
      `t[${word}] = tower(${start}${name}[1] … ${name}[${steps.tokens}] “${word}” [EOT])`,
      `cos(f, t[${word}]) = ${fixed(cosine)}`,
    ],
    kernels: [KERNELS.normalizeRows],
    note:
      `${answer.layers} layers of layerNorm, matmul and attention come before normalizeRows, which divides by the length; ` +
      'docs/kernels/walk-through.md follows them.',
  };
}

function logitFormula(steps: Steps, row: number): Formula {
  const { feature, logits, logitScale, options } = steps.answer;
  const word = steps.classes[row]!;
  const text = steps.text(row);
  const cosine = dot(feature, text);
  const number = steps.answer.places[row]!;
  const grouped = steps.composes;
  return {
    title: `Logit of ${word}`,
    what: 'How close picture and text are, times the scale that CLIP was trained with. Only differences between classes matter.',
    lines: [
      `logit[${word}] = scale × cos(f, t[${word}])`,
      `= ${fixed(logitScale, 2)} × ${fixed(cosine)} = ${fixed(logits[row]!)}`,
    ],
    kernels: [grouped ? KERNELS.groupDot : KERNELS.matmul],
    note: grouped
      ? 'groupDot compares every picture with its own texts, since each has a prompt of its own.'
      : `In mode ${options.mode} all pictures are compared with the same texts, so one matrix product does.`,
    lane: {
      where: grouped
        ? `${laneOf(number)} of groupDot has this logit to itself: one loop over the ${steps.width} elements.`
        : `In the plainest version of matmul, workgroup ${Math.floor(number / 16)}, lane (${number % 16}, 0) has this logit to itself.`,
      ...products(['f[d]', 't[d]'], feature, text, cosine),
    },
  };
}

function probabilityFormula(steps: Steps, row: number): Formula {
  const { logits, probabilities } = steps.answer;
  const word = steps.classes[row]!;
  const best = steps.best;
  const largest = logits[best]!;
  // Of all classes, drawn or not: from the largest probability, which is 1 over it.
  const sum = 1 / probabilities[best]!;
  const own = Math.exp(logits[row]! - largest);
  return {
    title: `Probability of ${word}`,
    what: 'The softmax turns logits into shares of 1. A lead of one logit means 2.7 times the probability.',
    lines: [
      `P(${word}) = exp(logit[${word}] − largest) / sum over i of exp(logit[i] − largest)`,
      `= exp(${fixed(logits[row]!)} − ${fixed(largest)}) / ${fixed(sum)} = ${fixed(own)} / ${fixed(sum)} = ${fixed(probabilities[row]!)}`,
    ],
    kernels: [],
    note: 'Computed on the host (softmaxRows in src/ptdpc/evaluate.ts): a few numbers per picture. In training the kernel crossEntropy does it.',
  };
}

/** The multiply-adds of a dot product whose result is `value`. */
function products(
  [first, second]: readonly [string, string],
  a: Float32Array,
  b: Float32Array,
  value: number,
): Omit<Lane, 'where'> {
  const shown = Math.min(a.length, MOST_ROWS - 1);
  let sum = 0;
  const rows = Array.from({ length: shown }, (_, d) => {
    sum += a[d]! * b[d]!;
    return [`${d + 1}`, fixed(a[d]!), fixed(b[d]!), fixed(a[d]! * b[d]!, 5), fixed(sum, 5)];
  });
  return {
    head: ['d', first, second, 'product', 'sum so far'],
    rows,
    rest: a.length > shown ? `${a.length - shown} more elements` : null,
    last: ['all', '', '', '', fixed(value, 5)],
  };
}

const laneOf = (number: number) => `Workgroup ${Math.floor(number / LANES)}, lane ${number % LANES}`;

/** `awe][2`, between brackets; of a prompt that all share, `2`. */
const place = (steps: Steps, row: number, token: number) =>
  steps.prompts === 1 ? `${token + 1}` : `${steps.promptNames[row]}][${token + 1}`;

/** Place of a drawn row among all prompts. */
const promptPlace = (steps: Steps, row: number) => (steps.prompts === 1 ? 0 : steps.answer.places[row]!);
