/** Small faults, of the kinds that people make, planted in a WGSL text one at a time. */
import { closes, endOf, stretchesOf, type Token } from './code.js';

/** What kind of fault. docs/mutation.md describes each. */
export const KINDS = [
  'arithmetic',
  'comparison',
  'bound',
  'logic',
  'index',
  'component',
  'constant',
  'initialiser',
  'accumulation',
  'function',
  'parameter',
  'operand',
  'statement',
  'barrier',
  'size',
] as const;
export type Kind = (typeof KINDS)[number];

/** A replacement of a part of a text. */
export interface Mutation {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
  readonly replacement: string;
}

/** What a text declares, or what it is included in: names that may be taken for one another. */
export interface Names {
  /** Fields of `struct Params`, by type. */
  readonly params: readonly (readonly string[])[];
  /** Buffers that are read, by type. */
  readonly buffers: readonly (readonly string[])[];
}

type Edit = (kind: Kind, from: number, to: number, replacement: string) => void;

/** All mutations of a text, in the order of their places. */
export function mutationsOf(text: string, names: Names): Mutation[] {
  const found = new Map<string, Mutation>();
  const edit: Edit = (kind, from, to, replacement) => {
    const key = `${from} ${to} ${replacement}`;
    if (text.slice(from, to) !== replacement && !found.has(key)) found.set(key, { kind, from, to, replacement });
  };
  for (const tokens of stretchesOf(text)) {
    for (let i = 0; i < tokens.length; i++) {
      for (const operator of OPERATORS) operator({ text, tokens, i, names }, edit);
    }
  }
  return [...found.values()].sort((one, other) => one.from - other.from || one.to - other.to);
}

interface Place {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Of the token that is looked at. */
  readonly i: number;
  readonly names: Names;
}

const NEXT: ReadonlySet<string> = new Set([';', ',', '&&', '||', '{', '?']);

const ARITHMETIC: Readonly<Record<string, string>> = { '+': '-', '-': '+', '*': '/', '/': '*', '%': '/' };
const ASSIGNING: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' };
/** To the bound's other side, and to the opposite. */
const COMPARING: Readonly<Record<string, readonly [bound: string, opposite: string]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
};
const COMPONENTS: Readonly<Record<string, string>> = { x: 'y', y: 'x', z: 'w', w: 'z', xy: 'zw', zw: 'xy' };
const FUNCTIONS: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  subgroupMin: 'subgroupMax',
  subgroupMax: 'subgroupMin',
  reduce_sum: 'reduce_max',
  reduce_max: 'reduce_sum',
};

const OPERATORS: readonly ((place: Place, edit: Edit) => void)[] = [
  function operators({ tokens, i }, edit) {
    const { text, at } = tokens[i]!;
    const replace = (kind: Kind, by: string) => edit(kind, at, at + text.length, by);
    if (ARITHMETIC[text] && isOperand(tokens[i - 1])) replace('arithmetic', ARITHMETIC[text]);
    if (ASSIGNING[text]) replace('arithmetic', ASSIGNING[text]);
    if (text === '++') replace('index', ' += 2');
    if (text === '==') replace('comparison', '!=');
    if (text === '!=') replace('comparison', '==');
    if (text === '&&') replace('logic', '||');
    if (text === '||') replace('logic', '&&');
    if (text === '!') replace('logic', '');
  },

  function bounds({ text: all, tokens, i }, edit) {
    const { text, at } = tokens[i]!;
    const [bound, opposite] = COMPARING[text] ?? [];
    if (bound === undefined || opposite === undefined) return;
    edit('bound', at, at + text.length, bound);
    edit('comparison', at, at + text.length, opposite);
    const limit = tokens.slice(i + 1, endOf(tokens, i + 1, NEXT));
    const [start, end] = spanOf(limit);
    // Of the two limits beside this one, the comparison above is as good as one.
    const step = text === '<' || text === '>=' ? '-' : '+';
    edit('bound', start, end, `${all.slice(start, end)} ${step} 1`);
  },

  function conditions({ tokens, i }, edit) {
    if (tokens[i]!.text !== 'if') return;
    const [open, close] = [tokens[i + 1]!.at, tokens[closes(tokens, i + 1)]!.at];
    for (const value of ['true', 'false']) edit('logic', open, close + 1, `(${value})`);
  },

  function indices({ text: all, tokens, i }, edit) {
    if (tokens[i]!.text !== '[' || !isOperand(tokens[i - 1])) return;
    const [start, end] = [tokens[i]!.at + 1, tokens[closes(tokens, i)]!.at];
    for (const step of ['+', '-']) edit('index', start, end, `(${all.slice(start, end)}) ${step} 1`);
  },

  function components({ tokens, i }, edit) {
    const { text, at } = tokens[i]!;
    const swapped = tokens[i - 1]?.text === '.' ? COMPONENTS[text] : undefined;
    if (swapped) edit('component', at, at + text.length, swapped);
  },

  function numbers({ tokens, i }, edit) {
    const { text, at } = tokens[i]!;
    if (!/^\d/.test(text)) return;
    if (sizeStretch(tokens)) {
      edit('size', at, at + text.length, `${Number.parseInt(text, 10) / 2}`);
      return;
    }
    // An index on its own is changed above.
    if (tokens[i - 1]?.text === '[' && tokens[i + 1]?.text === ']') return;
    const kind = isInitialiser(tokens, i) ? 'initialiser' : 'constant';
    for (const other of othersOf(text)) edit(kind, at, at + text.length, other);
  },

  function accumulation({ text: all, tokens, i }, edit) {
    const { text, at, inFor } = tokens[i]!;
    if (text !== '+=' || inFor) return;
    edit('accumulation', at, at + text.length, '=');
    const addend = tokens.slice(i + 1, endOf(tokens, i + 1, NEXT));
    const [start, end] = spanOf(addend);
    edit('accumulation', start, end, `quantizeToF16(${all.slice(start, end)})`);
    const sum = all.slice(tokens[startOfStatement(tokens, i)]!.at, at).trimEnd();
    edit('accumulation', at, end, `= quantizeToF16(${sum} + ${all.slice(start, end)})`);
  },

  function functions({ text: all, tokens, i }, edit) {
    const { text, at } = tokens[i]!;
    if (tokens[i + 1]?.text !== '(') return;
    if (FUNCTIONS[text]) edit('function', at, at + text.length, FUNCTIONS[text]);
    if (text !== 'min' && text !== 'max' && text !== 'select') return;
    const [start, end] = [at, tokens[closes(tokens, i + 1)]!.at + 1];
    const args = argumentsOf(all, tokens, i + 1);
    if (text === 'select') edit('function', start, end, `select(${args[1]}, ${args[0]}, ${args[2]})`);
    else edit('function', start, end, `(${args[0]})`);
  },

  function takenForAnother({ tokens, i, names }, edit) {
    const { text, at } = tokens[i]!;
    const field = tokens[i - 1]?.text === '.' && tokens[i - 2]?.text === 'params';
    const buffer = tokens[i + 1]?.text === '[' && tokens[i - 1]?.text !== '.';
    if (field) edit('parameter', at, at + text.length, nextOf(names.params, text));
    else if (buffer) edit('operand', at, at + text.length, nextOf(names.buffers, text));
  },

  function statements({ text: all, tokens, i }, edit) {
    const { text, at, inFor } = tokens[i]!;
    if (text !== ';' || inFor) return;
    const start = startOfStatement(tokens, i);
    const first = tokens[start]?.text ?? ';';
    if (/^(?:let|var|const|return|for|if|else|break|continue|;)$/.test(first) || sizeStretch(tokens)) return;
    if (tokens[0]!.text !== '{') return;
    const [from, to] = [tokens[start]!.at, at + 1];
    edit(/^workgroupBarrier/.test(all.slice(from, to)) ? 'barrier' : 'statement', from, to, '');
  },
];

/** Whether what stands before an operator makes it one of two operands. */
function isOperand(token: Token | undefined): boolean {
  return token !== undefined && /^(?:\w+|\)|\])$/.test(token.text) && token.text !== 'return';
}

function sizeStretch(tokens: readonly Token[]): boolean {
  return tokens[1]?.text === 'workgroup_size';
}

/** Whether a number is all that a variable begins with. */
function isInitialiser(tokens: readonly Token[], i: number): boolean {
  const sign = tokens[i - 1]?.text === '-' ? 1 : 0;
  return tokens[i + 1]?.text === ';' && tokens[i - 1 - sign]?.text === '=' && !tokens[i]!.inFor;
}

/** The place of the first token of the statement that `i` is in. */
function startOfStatement(tokens: readonly Token[], i: number): number {
  let depth = 0;
  for (let at = i - 1; at >= 0; at--) {
    const { text } = tokens[at]!;
    if (text === ')' || text === ']') depth++;
    else if (text === '(' || text === '[') depth--;
    else if (depth === 0 && (text === ';' || text === '{' || text === '}')) return at + 1;
  }
  return 0;
}

function spanOf(tokens: readonly Token[]): [number, number] {
  const last = tokens.at(-1)!;
  return [tokens[0]!.at, last.at + last.text.length];
}

/** The texts of a call's arguments; its bracket stands at `open`. */
function argumentsOf(all: string, tokens: readonly Token[], open: number): string[] {
  const found: string[] = [];
  for (let i = open + 1, end = closes(tokens, open); i < end; ) {
    const next = endOf(tokens, i, NEXT);
    found.push(all.slice(...spanOf(tokens.slice(i, next))));
    i = next + 1;
  }
  return found;
}

/** The one behind it in its group; the name itself if it is in none. */
function nextOf(groups: readonly (readonly string[])[], name: string): string {
  const group = groups.find((one) => one.includes(name)) ?? [name];
  return group[(group.indexOf(name) + 1) % group.length]!;
}

/** Numbers that one may write in place of a number. */
function othersOf(text: string): string[] {
  const [, digits = '', suffix = ''] = /^(.*?)([uifh]?)$/.exec(text)!;
  if (digits.startsWith('0x')) return [`${digits.replace('f8', 'f0')}${suffix}`];
  const value = Number(digits);
  if (!digits.includes('.')) {
    const others = value === 0 ? [1] : [value - 1, value + 1];
    return others.map((other) => `${other}${suffix}`);
  }
  if (value === 0) return [`1.0${suffix}`];
  if (value >= 1e30) return [`0.0${suffix}`];
  if (value === 1) return [`0.0${suffix}`, `2.0${suffix}`];
  return [`${Number((2 * value).toPrecision(12))}`, `${Number((1.001 * value).toPrecision(12))}`].map(
    (other) => `${other.includes('.') || other.includes('e') ? other : `${other}.0`}${suffix}`,
  );
}
