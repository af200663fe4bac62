/** What a learner learns, and where it stands in CLIP: an SVG that follows the reader's colour scheme. */
import { STYLE } from './chart.js';

type Kind = 'learned' | 'frozen' | 'plain';

/** A box and whether what is in it is learned. */
type Box = readonly [label: string, kind: Kind];

interface LearnerFigure {
  readonly title: string;
  /** The figure in words. */
  readonly text: string;
  /** The texts' tokens; none where no text is read. */
  readonly tokens: readonly Box[];
  /** The image's tokens, where some are learned, and what is said of the layers that have tokens of their own. */
  readonly imageTokens?: readonly Box[];
  readonly layers?: string;
  /** What an image's feature passes through. */
  readonly ofImage?: Box;
  /** What a text's feature passes through; without tokens, what stands in its place. */
  readonly ofText?: Box;
  /** Between the rows, and where it acts. */
  readonly between?: {
    readonly box: Box;
    readonly from: 'f' | 't' | 'tokens';
    readonly to: 'tokens' | 'imageTokens' | 'logits' | 'loss';
  };
  /** The names of both features after that; `f` and `t` where nothing is done to them. */
  readonly features?: readonly [ofImage: string, ofText: string];
  /** The formula, line by line. */
  readonly logits: readonly string[];
}

const words = (...labels: string[]): Box[] => labels.map((label) => [label, 'frozen']);
const learned = (...labels: string[]): Box[] => labels.map((label) => [label, 'learned']);
const CONTEXT = [...learned('v₁', 'v₂', '…', 'vₘ'), ...words('class', '.')];
const PHOTO = words('a', 'photo', 'of', 'class');
const SAME_CLASSIFIER = 'Images and texts are compared as in CLIP.';

/** By the learner's name. */
const FIGURES: Readonly<Record<string, LearnerFigure>> = {
  'pt-dpc': {
    title: 'PT-DPC',
    text: 'The tokens p of each class are learned; the feature f of the image weighs them, and their sum over the classes stands before the class word.',
    tokens: [...learned('pd₁', '…', 'pdₘ'), ...words('class')],
    between: { box: ['w = cos(f, p)', 'plain'], from: 'f', to: 'tokens' },
    logits: ['s cos(f, t)'],
  },
  coop: {
    title: 'CoOp',
    text: `The tokens before the class word are learned, the same for every image. ${SAME_CLASSIFIER}`,
    tokens: CONTEXT,
    logits: ['s cos(f, t)'],
  },
  cocoop: {
    title: 'CoCoOp',
    text: 'The tokens before the class word are learned, and so is a small network that makes of the feature f what is added to each of them.',
    tokens: CONTEXT,
    between: { box: ['+ meta-net(f)', 'learned'], from: 'f', to: 'tokens' },
    logits: ['s cos(f, t)'],
  },
  kgcoop: {
    title: 'KgCoOp',
    text: 'CoOp, whose loss also has the distance of each text feature t from that of the hand-written prompt.',
    tokens: CONTEXT,
    between: { box: ['distance from t⁰', 'plain'], from: 't', to: 'loss' },
    logits: ['s cos(f, t)'],
  },
  prograd: {
    title: 'ProGrad',
    text: 'CoOp, whose gradient loses the part that works against the predictions of the hand-written prompt.',
    tokens: CONTEXT,
    between: { box: ['gradient of KL', 'plain'], from: 't', to: 'loss' },
    logits: ['s cos(f, t)'],
  },
  vpt: {
    title: 'VPT',
    text: 'Tokens between the class token and the patches of the image are learned, new ones for each of the first layers of the image encoder. The texts are those of CLIP.',
    tokens: PHOTO,
    imageTokens: [...words('class'), ...learned('p₁', '…', 'pₙ'), ['patches', 'plain']],
    layers: 'new p in each layer',
    logits: ['s cos(f, t)'],
  },
  maple: {
    title: 'MaPLe',
    text: 'The first tokens of the text are learned, new ones for each of the first layers of the text encoder, and so is a linear layer for each that makes tokens of the image encoder of them.',
    tokens: [...learned('v₁', 'v₂'), ...words('of', 'a', 'class', '.')],
    imageTokens: [...words('class'), ['patches', 'plain'], ['F(v)', 'plain']],
    layers: 'new v and F in each layer',
    between: { box: ['F: linear', 'learned'], from: 'tokens', to: 'imageTokens' },
    logits: ['s cos(f, t)'],
  },
  'linear-probe': {
    title: 'Linear probe',
    text: 'A weight and a bias for each class are learned on the features f. No text is read.',
    tokens: [],
    ofText: ['W, b', 'learned'],
    logits: ['W f + b'],
  },
  'tip-adapter': {
    title: 'Tip-Adapter',
    text: 'Nothing is trained: training features K with their labels Y vote beside the texts, the more the nearer they are to f.',
    tokens: PHOTO,
    between: { box: ['K, Y: training images', 'plain'], from: 'f', to: 'logits' },
    logits: ['s f·t + α A Y,', 'A = exp(−β (1 − f·K))'],
  },
  'tip-adapter-f': {
    title: 'Tip-Adapter-F',
    text: 'Training features K vote beside the texts, the more the nearer they are to f; K is where training starts, and is learned.',
    tokens: PHOTO,
    between: { box: ['K, Y: training images', 'learned'], from: 'f', to: 'logits' },
    logits: ['s f·t + α A Y,', 'A = exp(−β (1 − f·K))'],
  },
  'clip-adapter': {
    title: 'CLIP-Adapter',
    text: 'A network of two layers on the feature f is learned; a fifth of its result and four fifths of f are compared with the texts.',
    tokens: PHOTO,
    ofImage: ['.2 MLP + .8', 'learned'],
    features: ['f′', 't'],
    logits: ['s cos(f′, t)'],
  },
  taskres: {
    title: 'TaskRes',
    text: 'What is added to each text feature t is learned, from 0 on.',
    tokens: PHOTO,
    ofText: ['+ α x', 'learned'],
    features: ['f', 't′'],
    logits: ['s cos(f, t′)'],
  },
  'lp++': {
    title: 'LP++',
    text: 'A weight for each class on the features f is learned, and how much of the text feature t each class has.',
    tokens: PHOTO,
    ofText: ['w + α t', 'learned'],
    features: ['f', 'c'],
    logits: ['f·c'],
  },
  clap: {
    title: 'CLAP',
    text: 'A weight for each class is learned that starts at the text feature t; the loss has its distance from there.',
    tokens: PHOTO,
    ofText: ['w, near t', 'learned'],
    features: ['f', 'w'],
    logits: ['s cos(f, w)'],
  },
};

/** Where a learner's figure lies, below docs/. */
export function learnerFigurePath(name: string): string {
  return `images/learners/${name.replaceAll('+', 'plus')}.svg`;
}

/** Throws Error for a learner without a figure. */
export function learnerFigureText(name: string): string {
  return figureOf(name).text;
}

function figureOf(name: string): LearnerFigure {
  const figure = FIGURES[name];
  if (!figure) throw new Error(`no figure for the learner ${name}`);
  return figure;
}

const WIDTH = 720;
const HEIGHT = 232;
/** Upper edges of the images' and the texts' row, of what lies between, and the height of a box. */
const [IMAGES, BETWEEN, TEXTS, BOX] = [36, 90, 144, 36];
/** Left edges and widths of the columns. */
const ENCODER = [218, 112] as const;
const AFTER = [356, 104] as const;
const FEATURE = [486, 36] as const;
const LOGITS = [548, 156] as const;
/** A token's cell is as much wider than its letters. */
const LETTERS_BESIDE = 2.5;
const TOKENS = [16, 176] as const;

/** Throws Error for a learner without a figure. */
export function learnerFigure(name: string): string {
  const figure = figureOf(name);
  const { title, text, tokens, imageTokens, layers, ofImage, ofText, between, features = ['f', 't'], logits } = figure;
  const hasTexts = tokens.length > 0;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title id="title">${title}: what is learned</title>`,
    `<desc id="description">${text}</desc>`,
    STYLE.replace(
      '</style>',
      '.frozen{fill:var(--ink);fill-opacity:.1;stroke:var(--line)}.plain{fill:none;stroke:var(--line)}.learned{fill:none;stroke:var(--learned);stroke-width:2.5}.arrow{fill:none;stroke:var(--soft);stroke-width:1.5;marker-end:url(#head)}:root{--learned:#c2410c}@media (prefers-color-scheme:dark){:root{--learned:#fb923c}}</style>',
    ),
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0l8 4-8 4z" fill="var(--soft)"/></marker></defs>',
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    ...(imageTokens ? tokenCells(imageTokens, IMAGES) : box(120, IMAGES, 72, ['image', 'plain'])),
    ...(layers ? [`<text x="${ENCODER[0] + ENCODER[1] / 2}" y="${IMAGES - 12}" class="s m">${layers}</text>`] : []),
    ...box(...place(ENCODER, IMAGES), ['image encoder', 'frozen']),
    ...row(IMAGES, ofImage, [features[0], 'plain'], 192),
    ...(hasTexts
      ? [
          ...tokenCells(tokens, TEXTS),
          ...box(...place(ENCODER, TEXTS), ['text encoder', 'frozen']),
          ...row(TEXTS, ofText, [features[1], 'plain'], 192),
        ]
      : [...box(...place(AFTER, TEXTS), ofText!), arrow(AFTER[0] + AFTER[1], middle(TEXTS), LOGITS[0], middle(TEXTS))]),
    ...(between ? inBetween(between) : []),
    `<rect x="${LOGITS[0]}" y="${IMAGES}" width="${LOGITS[1]}" height="${TEXTS + BOX - IMAGES}" rx="6" class="plain"/>`,
    `<text x="${LOGITS[0] + LOGITS[1] / 2}" y="${IMAGES + 22}" class="m">logits</text>`,
    ...logits.map(
      (line, i) =>
        `<text x="${LOGITS[0] + LOGITS[1] / 2}" y="${middle(BETWEEN) + 4 + 20 * i}" class="m">${line}</text>`,
    ),
    ...legend(),
    '</svg>',
  ].join('\n')}\n`;
}

const middle = (top: number) => top + BOX / 2;
const place = ([left, width]: readonly [number, number], top: number) => [left, top, width] as const;

function box(left: number, top: number, width: number, [label, kind]: Box): string[] {
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${BOX}" rx="6" class="${kind}"/>`,
    `<text x="${left + width / 2}" y="${middle(top) + 4.5}" class="m">${label}</text>`,
  ];
}

const arrow = (fromX: number, fromY: number, toX: number, toY: number): string =>
  `<path class="arrow" d="M${fromX} ${fromY}L${toX - Math.sign(toX - fromX) * 3} ${toY - (fromX === toX ? Math.sign(toY - fromY) * 3 : 0)}"/>`;

/** From the input's right edge through the encoder and what follows it to a feature, and on to the logits. */
function row(top: number, after: Box | undefined, feature: Box, input: number): string[] {
  const y = middle(top);
  const encoded = ENCODER[0] + ENCODER[1];
  return [
    arrow(input, y, ENCODER[0], y),
    ...(after
      ? [
          arrow(encoded, y, AFTER[0], y),
          ...box(...place(AFTER, top), after),
          arrow(AFTER[0] + AFTER[1], y, FEATURE[0], y),
        ]
      : [arrow(encoded, y, FEATURE[0], y)]),
    ...box(...place(FEATURE, top), feature),
    arrow(FEATURE[0] + FEATURE[1], y, LOGITS[0], y),
  ];
}

function tokenCells(tokens: readonly Box[], top: number): string[] {
  const [left, width] = TOKENS;
  const letters = tokens.reduce((sum, [label]) => sum + label.length + LETTERS_BESIDE, 0);
  let x = left;
  return tokens.flatMap(([label, kind]) => {
    const each = (width * (label.length + LETTERS_BESIDE)) / letters;
    const cell = [
      `<rect x="${tenth(x + 1.5)}" y="${top}" width="${tenth(each - 3)}" height="${BOX}" rx="4" class="${kind}"/>`,
      `<text x="${tenth(x + each / 2)}" y="${middle(top) + 4}" class="s m">${label}</text>`,
    ];
    x += each;
    return cell;
  });
}

function inBetween({ box: what, from, to }: NonNullable<LearnerFigure['between']>): string[] {
  const x = FEATURE[0] + FEATURE[1] / 2;
  const start = from === 'f' ? IMAGES + BOX : TEXTS;
  const y = middle(BETWEEN);
  const width = 150;
  const left = AFTER[0] - 40;
  if (to === 'imageTokens') {
    const [start, end] = [TOKENS[0] + 24, TOKENS[0] + TOKENS[1] - 26];
    return [
      arrow(start, TEXTS, start, BETWEEN + BOX),
      ...box(TOKENS[0], BETWEEN, TOKENS[1], what),
      arrow(end, BETWEEN, end, IMAGES + BOX),
    ];
  }
  if (to === 'tokens') {
    const end = TOKENS[0] + TOKENS[1] / 2;
    return [
      `<path class="arrow" d="M${x} ${start}V${y}H${left + width + 3}"/>`,
      ...box(left, BETWEEN, width, what),
      `<path class="arrow" d="M${left} ${y}H${end}V${TEXTS - 3}"/>`,
    ];
  }
  const note = to === 'loss' ? [`<text x="${left - 10}" y="${y + 4.5}" class="s e">in the loss</text>`] : [];
  return [
    `<path class="arrow" d="M${x} ${start}V${y}H${left + width + 3}"/>`,
    ...box(left, BETWEEN, width, what),
    ...note,
    ...(to === 'logits' ? [`<path class="arrow" d="M${left + width / 2} ${BETWEEN + BOX}v9H${LOGITS[0] - 3}"/>`] : []),
  ];
}

function legend(): string[] {
  const y = HEIGHT - 26;
  const entry = (x: number, kind: Kind, label: string) => [
    `<rect x="${x}" y="${y}" width="18" height="14" rx="3" class="${kind}"/>`,
    `<text x="${x + 26}" y="${y + 12}" class="s">${label}</text>`,
  ];
  return [...entry(16, 'learned', 'learned'), ...entry(110, 'frozen', 'frozen'), ...entry(196, 'plain', 'computed')];
}

const tenth = (value: number) => Math.round(10 * value) / 10;
