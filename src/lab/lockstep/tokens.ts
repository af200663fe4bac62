/** The words of a WGSL text, one after the other, and where in it they stand. */
import { InputError } from '../../errors.js';
import type { Placed } from './tree.js';

const TOKEN =
  /0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fh]?|\d+[eE][+-]?\d+[fh]?|\d+[iufh]?|[A-Za-z_]\w*|->|\+\+|--|&&|\|\||<<=?|[=!<]=|[-+*/%&|^]=|[^\s\w]/g;

/** Runs `read`; an InputError of it says the line, unless it has one already. */
export function atLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError) || /^line \d+: /.test(error.message)) throw error;
    throw new InputError(`line ${line}: ${error.message}`);
  }
}

/** A text's tokens, and the place that a reader has come to. */
export class Tokens {
  readonly #all: readonly { readonly text: string; readonly at: number; readonly line: number }[];
  place = 0;

  constructor(private readonly code: string) {
    let line = 1;
    let end = 0;
    this.#all = Array.from(code.matchAll(TOKEN), ({ 0: text, index: at }) => {
      for (; end < at; end++) if (code[end] === '\n') line++;
      return { text, at, line };
    });
  }

  /** Whether nothing stands between the next two tokens, the first of which is one character long. */
  touch(): boolean {
    return this.#all[this.place]?.at === (this.#all[this.place + 1]?.at ?? 0) - 1;
  }

  /** What is read, with the line that it begins on. */
  placed<S>(read: () => S): S & Placed {
    const line = this.#all[this.place]?.line ?? 0;
    return { ...read(), line };
  }

  /** What stands between a place and the next token, on one line. */
  text(start: number): string {
    const last = this.#all[this.place - 1]!;
    return this.code.slice(this.#all[start]!.at, last.at + last.text.length).replace(/\s+/g, ' ');
  }

  peek(ahead = 0): string {
    return this.#all[this.place + ahead]?.text ?? '';
  }

  next(): string {
    const text = this.peek();
    if (text === '') return this.fail('the end');
    this.place++;
    return text;
  }

  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.place++;
    return true;
  }

  expect(text: string): void {
    if (!this.skip(text)) this.fail(this.peek(), text);
  }

  fail(found: string, expected = 'WGSL that the model reads'): never {
    const at = this.#all[this.place]?.at ?? this.code.length;
    const line = this.code.slice(0, at).split('\n').length;
    throw new InputError(`line ${line}: expected ${expected}, found ${found === '' ? 'the end' : found}`);
  }
}

export function numberOf(text: string): { type: 'u32' | 'i32' | 'f32' | 'f16' | 'int' | 'float'; value: number } {
  const isHex = /^0[xX]/.test(text);
  const suffix = isHex ? /[iu]$/.exec(text)?.[0] : /[iufh]$/.exec(text)?.[0];
  const value = Number(suffix === undefined ? text : text.slice(0, -1));
  if (suffix === 'u') return { type: 'u32', value };
  if (suffix === 'i') return { type: 'i32', value };
  if (suffix === 'f' || suffix === 'h') return { type: suffix === 'f' ? 'f32' : 'f16', value };
  return { type: !isHex && /[.eE]/.test(text) ? 'float' : 'int', value };
}
