/**
 * Reads WGSL: the part of the language that compute shaders of numbers are written in. No textures, matrices or `switch`. What lies outside is
 * refused with an InputError that names it, rather than guessed at.
 */
import { InputError } from '../../errors.js';
import { withoutComments } from '../../kernels/webgpu/wgsl-text.js';
import type {
  Block,
  Declared,
  Expression,
  FunctionSyntax,
  Parameter,
  Placed,
  Program,
  Statement,
  TypeName,
} from './tree.js';

/** A statement before it is known where it stands. */
type Unplaced = Statement extends infer S ? (S extends Statement ? Omit<S, 'line'> : never) : never;

const TOKEN =
  /0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fh]?|\d+[eE][+-]?\d+[fh]?|\d+[iufh]?|[A-Za-z_]\w*|->|\+\+|--|&&|\|\||<<=?|[=!<]=|[-+*/%&|^]=|[^\s\w]/g;

/** From the loosest to the tightest. Those of one level are read from left to right. */
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
/** Names that a `<` behind opens arguments of. */
const GENERIC = /^(vec[234]|array|ptr|bitcast|atomic)$/;

/** Runs `read`; an InputError of it says the line, unless it has one already. */
export function atLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError) || /^line \d+: /.test(error.message)) throw error;
    throw new InputError(`line ${line}: ${error.message}`);
  }
}

/** Throws InputError for what is not of this part of WGSL. */
export function parseWgsl(text: string): Program {
  return new Parser(withoutComments(text)).program();
}

class Parser {
  readonly #tokens: readonly { readonly text: string; readonly at: number; readonly line: number }[];
  #place = 0;

  constructor(private readonly code: string) {
    let line = 1;
    let end = 0;
    this.#tokens = Array.from(code.matchAll(TOKEN), ({ 0: text, index: at }) => {
      for (; end < at; end++) if (code[end] === '\n') line++;
      return { text, at, line };
    });
  }

  program(): Program {
    const functions = new Map<string, FunctionSyntax>();
    const structs = new Map<string, readonly Parameter[]>();
    const aliases = new Map<string, TypeName>();
    const globals: (Declared & Placed)[] = [];
    while (this.#peek() !== '') {
      if (this.#skip(';')) continue;
      if (['enable', 'requires', 'diagnostic', 'const_assert'].includes(this.#peek())) {
        while (!this.#skip(';')) this.#next();
        continue;
      }
      const attributes = this.#attributes();
      if (this.#skip('struct')) structs.set(this.#next(), this.#parameters('{', '}'));
      else if (this.#skip('alias')) {
        const name = this.#next();
        this.#expect('=');
        aliases.set(name, this.#type());
      } else if (this.#skip('fn')) {
        const one = this.#placed(() => this.#function(attributes.get('workgroup_size')));
        functions.set(one.name, one);
      } else globals.push(this.#placed(() => this.#declared()));
    }
    return { functions, structs, aliases, globals };
  }

  #function(workgroupSize: readonly Expression[] | undefined): Omit<FunctionSyntax, 'line'> {
    const name = this.#next();
    const parameters = this.#parameters('(', ')');
    let returns: TypeName | undefined;
    if (this.#skip('->')) {
      this.#attributes();
      returns = this.#type();
    }
    return { name, parameters, returns, body: this.#block(), workgroupSize };
  }

  #parameters(open: string, close: string): Parameter[] {
    this.#expect(open);
    const all: Parameter[] = [];
    while (!this.#skip(close)) {
      const [builtin] = this.#attributes().get('builtin') ?? [];
      const name = this.#next();
      this.#expect(':');
      all.push({ name, type: this.#type(), builtin: builtin?.text });
      this.#skip(',');
    }
    return all;
  }

  #attributes(): Map<string, readonly Expression[]> {
    const all = new Map<string, readonly Expression[]>();
    while (this.#skip('@')) {
      const name = this.#next();
      all.set(name, this.#peek() === '(' ? this.#arguments() : []);
    }
    return all;
  }

  #declared(): Declared {
    const kind = this.#next();
    if (kind !== 'var' && kind !== 'let' && kind !== 'const' && kind !== 'override') return this.#fail(kind);
    let space = '';
    if (kind === 'var' && this.#skip('<')) {
      space = this.#next();
      while (!this.#skip('>')) this.#next();
    }
    const name = this.#next();
    const type = this.#skip(':') ? this.#type() : undefined;
    const value = this.#skip('=') ? this.#expression() : undefined;
    this.#expect(';');
    return { kind, space, name, type, value };
  }

  #type(): TypeName {
    const name = this.#next();
    if (!/^[A-Za-z_]/.test(name)) return this.#fail(name);
    const args: (TypeName | Expression)[] = [];
    if (GENERIC.test(name) && this.#skip('<')) {
      while (!this.#skip('>')) {
        // A count is the second argument of an array; all others are types, or names such as `function`.
        args.push(name === 'array' && args.length === 1 ? this.#binary(LEVELS.length - 2) : this.#type());
        this.#skip(',');
      }
    }
    return { name, args };
  }

  #block(): Block {
    this.#expect('{');
    const all: Statement[] = [];
    while (!this.#skip('}')) if (!this.#skip(';')) all.push(this.#statement());
    return all;
  }

  /** What is read, with the line that it begins on. */
  #placed<S>(read: () => S): S & Placed {
    const line = this.#tokens[this.#place]?.line ?? 0;
    return { ...read(), line };
  }

  #statement(): Statement {
    return this.#placed(() => this.#unplaced());
  }

  #unplaced(): Unplaced {
    switch (this.#peek()) {
      case 'var':
      case 'let':
      case 'const':
        return this.#declared();
      case '{':
        return { kind: 'block', body: this.#block() };
      case 'if':
        return this.#if();
      case 'for':
        return this.#for();
      case 'while': {
        this.#next();
        const condition = this.#expression();
        return { kind: 'loop', first: [], condition, body: this.#block(), next: [], until: undefined };
      }
      case 'loop':
        return this.#loop();
      case 'break':
      case 'continue': {
        const kind = this.#next() as 'break' | 'continue';
        this.#expect(';');
        return { kind };
      }
      case 'return': {
        this.#next();
        const value = this.#peek() === ';' ? undefined : this.#expression();
        this.#expect(';');
        return { kind: 'return', value };
      }
      case 'switch':
        return this.#fail('switch');
    }
    const statement = this.#simple();
    this.#expect(';');
    return statement;
  }

  #if(): Unplaced {
    this.#expect('if');
    const condition = this.#expression();
    const then = this.#block();
    if (!this.#skip('else')) return { kind: 'if', condition, then, otherwise: [] };
    return { kind: 'if', condition, then, otherwise: this.#peek() === 'if' ? [this.#statement()] : this.#block() };
  }

  #for(): Unplaced {
    this.#expect('for');
    this.#expect('(');
    const first: Statement[] = [];
    if (['var', 'let', 'const'].includes(this.#peek())) first.push(this.#statement());
    else if (!this.#skip(';')) {
      first.push(this.#placed(() => this.#simple()));
      this.#expect(';');
    }
    const condition = this.#peek() === ';' ? undefined : this.#expression();
    this.#expect(';');
    const next = this.#peek() === ')' ? [] : [this.#placed(() => this.#simple())];
    this.#expect(')');
    return { kind: 'loop', first, condition, body: this.#block(), next, until: undefined };
  }

  #loop(): Unplaced {
    this.#expect('loop');
    this.#expect('{');
    const body: Statement[] = [];
    const next: Statement[] = [];
    let until: Expression | undefined;
    while (!this.#skip('}')) {
      if (!this.#skip('continuing')) {
        if (!this.#skip(';')) body.push(this.#statement());
        continue;
      }
      this.#expect('{');
      while (!this.#skip('}')) {
        if (this.#peek() === 'break' && this.#peek(1) === 'if') {
          this.#place += 2;
          until = this.#expression();
          this.#expect(';');
        } else next.push(this.#statement());
      }
    }
    return { kind: 'loop', first: [], condition: undefined, body, next, until };
  }

  /** An assignment, `x++`, or a call. */
  #simple(): Unplaced {
    if (this.#skip('_')) {
      this.#expect('=');
      return { kind: 'call', call: this.#expression() };
    }
    const to = this.#unary();
    const operator = this.#next();
    if (operator === '++' || operator === '--') {
      const one: Expression = { kind: 'literal', type: 'int', value: 1, text: '1' };
      return { kind: 'assign', operator: operator[0]!, to, value: one };
    }
    if (operator === '=') return { kind: 'assign', operator: '', to, value: this.#expression() };
    if (operator === '>' && this.#skip('>') && this.#skip('='))
      return { kind: 'assign', operator: '>>', to, value: this.#expression() };
    if (/^([-+*/%&|^]|<<)=$/.test(operator))
      return { kind: 'assign', operator: operator.slice(0, -1), to, value: this.#expression() };
    this.#place--;
    if (to.kind !== 'call') return this.#fail(operator);
    return { kind: 'call', call: to };
  }

  #expression(): Expression {
    return this.#binary(0);
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.#unary();
    const start = this.#place;
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#operator();
      if (!operators.includes(operator)) return left;
      // `>` and what belongs to it are tokens of their own, since `>>` may also close two types.
      this.#place += operator[0] === '>' ? operator.length : 1;
      const right = this.#binary(level + 1);
      left = { kind: 'binary', operator, left, right, text: this.#text(start) };
    }
  }

  #operator(): string {
    const one = this.#peek();
    const two = this.#peek(1);
    const adjacent = this.#tokens[this.#place]?.at === (this.#tokens[this.#place + 1]?.at ?? 0) - 1;
    if (one !== '>' || !adjacent || (two !== '>' && two !== '=')) return one;
    return two === '>' && this.#peek(2) === '=' ? '>>=' : one + two;
  }

  #unary(): Expression {
    const start = this.#place;
    const operator = this.#peek();
    if (['-', '!', '~', '&', '*'].includes(operator)) {
      this.#next();
      const of = this.#unary();
      return { kind: 'unary', operator, of, text: this.#text(start) };
    }
    let one = this.#primary();
    for (;;) {
      if (this.#skip('[')) {
        const index = this.#expression();
        this.#expect(']');
        one = { kind: 'index', of: one, index, text: this.#text(start) };
      } else if (this.#skip('.')) one = { kind: 'member', of: one, name: this.#next(), text: this.#text(start) };
      else return one;
    }
  }

  #primary(): Expression {
    const start = this.#place;
    if (this.#skip('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return { ...inner, text: this.#text(start) };
    }
    const text = this.#peek();
    if (/^[\d.]/.test(text)) {
      this.#next();
      return { kind: 'literal', text, ...numberOf(text) };
    }
    if (text === 'true' || text === 'false') {
      this.#next();
      return { kind: 'literal', type: 'bool', value: Number(text === 'true'), text };
    }
    const to = this.#type();
    if (this.#peek() !== '(') return { kind: 'name', name: to.name, text };
    const args = this.#arguments();
    return { kind: 'call', to, args, text: this.#text(start) };
  }

  #arguments(): Expression[] {
    this.#expect('(');
    const all: Expression[] = [];
    while (!this.#skip(')')) {
      all.push(this.#expression());
      this.#skip(',');
    }
    return all;
  }

  /** What stands between a place and the next token, on one line. */
  #text(start: number): string {
    const last = this.#tokens[this.#place - 1]!;
    return this.code.slice(this.#tokens[start]!.at, last.at + last.text.length).replace(/\s+/g, ' ');
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#place + ahead]?.text ?? '';
  }

  #next(): string {
    const text = this.#peek();
    if (text === '') return this.#fail('the end');
    this.#place++;
    return text;
  }

  #skip(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#place++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) this.#fail(this.#peek(), text);
  }

  #fail(found: string, expected = 'WGSL that the model reads'): never {
    const at = this.#tokens[this.#place]?.at ?? this.code.length;
    const line = this.code.slice(0, at).split('\n').length;
    throw new InputError(`line ${line}: expected ${expected}, found ${found === '' ? 'the end' : found}`);
  }
}

function numberOf(text: string): { type: 'u32' | 'i32' | 'f32' | 'f16' | 'int' | 'float'; value: number } {
  const isHex = /^0[xX]/.test(text);
  const suffix = isHex ? /[iu]$/.exec(text)?.[0] : /[iufh]$/.exec(text)?.[0];
  const value = Number(suffix === undefined ? text : text.slice(0, -1));
  if (suffix === 'u') return { type: 'u32', value };
  if (suffix === 'i') return { type: 'i32', value };
  if (suffix === 'f' || suffix === 'h') return { type: suffix === 'f' ? 'f32' : 'f16', value };
  return { type: !isHex && /[.eE]/.test(text) ? 'float' : 'int', value };
}
