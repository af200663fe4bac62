/**
 * WGSL text as its parts. Texts come from users: each function here passes over its text once, whatever that holds, where a single regular
 * expression for comments or declarations would start anew at every character.
 */
import { shaders } from './shaders.generated.js';

const COMMENT = /\/[*/]/g;
const BLOCK_MARK = /\/\*|\*\//g;
const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/g;

/** The text with a space for every block comment, which may be nested, and nothing for comments that end with their line. */
export function withoutComments(source: string): string {
  let code = '';
  for (let at = 0; ; ) {
    const comment = find(COMMENT, source, at);
    if (!comment) return code + source.slice(at);
    code += source.slice(at, comment.index);
    at = comment.index + 2;
    if (comment[0] === '//') {
      const end = find(LINE_BREAK, source, at);
      if (!end) return code;
      at = end.index;
      continue;
    }
    for (let depth = 1; depth > 0; ) {
      const mark = find(BLOCK_MARK, source, at);
      if (!mark) return code;
      depth += mark[0] === '/*' ? 1 : -1;
      at = mark.index + 2;
    }
    code += ' ';
  }
}

function find(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

/** A word, a number, or a character of punctuation, with where it stands. */
export interface Token {
  readonly text: string;
  readonly at: number;
}

/** The tokens of a text without comments. */
export function tokensOf(code: string): Token[] {
  return Array.from(code.matchAll(/\w+|[^\s\w]/g), ({ 0: text, index }) => ({ text, at: index }));
}

/** Reads tokens from front to back. */
export class TokenReader {
  /** The place of the token that is read next. */
  place = 0;
  /** The places found last, by token: asked for again from before it, it is not sought again. */
  readonly #found = new Map<string, number>();

  constructor(private readonly tokens: readonly Token[]) {}

  /** The text of the next token, or of one `ahead` of it; undefined past the end. */
  peek(ahead = 0): string | undefined {
    return this.tokens[this.place + ahead]?.text;
  }

  /** Where the next token stands in the text. */
  get at(): number {
    return this.tokens[this.place]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Steps over the next token if it is this one. */
  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.place++;
    return true;
  }

  /** The place of the next `text`; past the end if there is none. */
  find(text: string): number {
    let place = this.#found.get(text) ?? -1;
    if (place < this.place) {
      place = this.place;
      while (place < this.tokens.length && this.tokens[place]!.text !== text) place++;
      this.#found.set(text, place < this.tokens.length ? place : Number.POSITIVE_INFINITY);
    }
    return this.#found.get(text)!;
  }

  /** Steps over everything before the next `text`, which is returned; undefined, without a step, if there is none. */
  until(text: string): string[] | undefined {
    const end = this.find(text);
    if (end === Number.POSITIVE_INFINITY) return undefined;
    const passed: string[] = [];
    for (; this.place < end; this.place++) passed.push(this.tokens[this.place]!.text);
    return passed;
  }
}

/** `gradOut` for `grad_out` and `GRAD_OUT`. */
export function argumentName(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** `grad_out` for `gradOut`. */
export function shaderName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Texts by name, as shaders/ has them. */
export type ShaderFiles = Readonly<Record<string, string>>;

const INCLUDE = /^[ \t]*\/\/ #include "(\w+)\.wgsl"[ \t]*$/gm;

/**
 * A whole text: `wgsl` (or the file of shaders/ with that name) and, behind it, each file that it includes, once. Behind, since WGSL allows any
 * order, and so that the compiler's line numbers are those of the text itself; `enable` and `diagnostic` must stand in the text that needs them.
 * Throws Error if there is no such file. `files` in place of shaders/: for texts that differ from those.
 */
export function assembled(wgsl: string, files: ShaderFiles = shaders): string {
  const parts = [/^\w+$/.test(wgsl) ? fileNamed(wgsl, files) : wgsl];
  const seen = new Set<string>();
  for (let i = 0; i < parts.length; i++) {
    for (const [, name] of parts[i]!.matchAll(INCLUDE)) {
      if (seen.has(name!)) continue;
      seen.add(name!);
      parts.push(fileNamed(name!, files));
    }
  }
  return parts.join('\n');
}

function fileNamed(name: string, files: ShaderFiles): string {
  const text = Object.hasOwn(files, name) ? files[name] : undefined;
  if (text === undefined) throw new Error(`#include "${name}.wgsl": expected a file of shaders/`);
  return text;
}
