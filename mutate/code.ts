/** A WGSL text as tokens that may be mutated: what is executed, without comments, types and declarations of memory. */

export interface Token {
  readonly text: string;
  readonly at: number;
  /** In the header of a `for`, where a change may end in a loop that does not. */
  readonly inFor: boolean;
}

const TOKEN =
  /0x[\da-fA-F]+[ui]?|\d+\.\d*(?:e[+-]?\d+)?[fh]?|\d+[uif]?|[A-Za-z_]\w*|\+\+|--|->|&&|\|\||<<|>>|[-+*/%&|^<>=!]=|\S/g;

/** Each with its own length in blanks, so that places stay. */
const HIDDEN = [
  /\/\/[^\n]*/g,
  /\/\*[\s\S]*?\*\//g,
  /\b(?:enable|diagnostic|alias)\b[^;]*;/g,
  /\bstruct\s+\w+\s*\{[^}]*\}/g,
];

const TEMPLATED = /\b(?:array|vec[234]|var|ptr|bitcast|mat\dx\d)</g;

/** The text without what no mutation is for. */
function visible(text: string): string {
  let code = text;
  for (const hidden of HIDDEN) code = code.replace(hidden, blanks);
  for (const { 0: name, index } of code.matchAll(TEMPLATED)) {
    const open = index + name.length - 1;
    // Of one within another nothing is left.
    if (code[open] !== '<') continue;
    const end = closing(code, open);
    code = code.slice(0, open) + blanks(code.slice(open, end)) + code.slice(end);
  }
  return code;
}

function blanks(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Behind the `>` that closes the `<` at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '<') depth++;
    else if (code[at] === '>' && --depth === 0) return at + 1;
    else if (code[at] === ';') break;
  }
  throw new Error(`a < without its >: ${code.slice(open, open + 40)}`);
}

/** The tokens of function bodies, of constants' values and of `@workgroup_size`, each stretch by itself. */
export function stretchesOf(text: string): Token[][] {
  const code = visible(text);
  const stretches: Token[][] = [];
  for (const found of code.matchAll(
    /@workgroup_size\s*\(([^)]*)\)|\b(?:const|override)\s+\w+[^=;{]*=([^;]*);|\bfn\s+\w+\s*\(/g,
  )) {
    const [whole, size, value] = found;
    if (size !== undefined) stretches.push(tokensIn(code, found.index, found.index + whole.length));
    else if (value !== undefined && !isGiven(whole, value))
      stretches.push(tokensIn(code, found.index + whole.length - 1 - value.length, found.index + whole.length));
    else if (whole.startsWith('fn')) stretches.push(tokensIn(code, ...bodyAt(code, found.index)));
  }
  return stretches;
}

/** Whether the host gives it, so that its value in the text is never used. */
function isGiven(declaration: string, value: string): boolean {
  return declaration.startsWith('override') && /^\s*(?:true|false|\d+u?)\s*$/.test(value);
}

function bodyAt(code: string, from: number): [number, number] {
  const start = code.indexOf('{', from);
  let depth = 0;
  for (let at = start; at < code.length; at++) {
    if (code[at] === '{') depth++;
    else if (code[at] === '}' && --depth === 0) return [start, at + 1];
  }
  throw new Error(`a function without its end: ${code.slice(from, from + 40)}`);
}

function tokensIn(code: string, from: number, to: number): Token[] {
  const tokens: Token[] = [];
  let headerDepth = 0;
  for (const { 0: text, index } of code.slice(from, to).matchAll(TOKEN)) {
    const starts = headerDepth === 0 && text === '(' && tokens.at(-1)?.text === 'for';
    tokens.push({ text, at: from + index, inFor: headerDepth > 0 || starts });
    if (text === '(' && (starts || headerDepth > 0)) headerDepth++;
    else if (text === ')' && headerDepth > 0) headerDepth--;
  }
  return tokens;
}

const OPENS = new Set(['(', '[', '{']);
const CLOSES = new Set([')', ']', '}']);

/** The place of the bracket that closes the one at `open`. */
export function closes(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (OPENS.has(tokens[i]!.text)) depth++;
    else if (CLOSES.has(tokens[i]!.text) && --depth === 0) return i;
  }
  throw new Error(`a ${tokens[open]!.text} without its end`);
}

/** The place of the first token from `from` on, outside of brackets, that is one of `ends` or closes what is around. */
export function endOf(tokens: readonly Token[], from: number, ends: ReadonlySet<string>): number {
  for (let i = from; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (ends.has(text) || CLOSES.has(text)) return i;
    if (OPENS.has(text)) i = closes(tokens, i);
  }
  return tokens.length;
}
