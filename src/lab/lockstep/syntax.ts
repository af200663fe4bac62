/**
 * Reads WGSL: the part of the language that compute shaders of numbers are written in. No textures, `mat` types or `switch`. What lies outside is
 * refused with an InputError that names it, rather than guessed at.
 */
import { withoutComments } from '../../kernels/webgpu/wgsl-text.js';
import { numberOf, Tokens } from './tokens.js';
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
const GENERIC = /^(vec[234]|array|ptr|bitcast|atomic|subgroup_matrix_\w+|subgroupMatrix\w+)$/;

/** Throws InputError for what is not of this part of WGSL. */
export function parseWgsl(text: string): Program {
  return new Parser(withoutComments(text)).program();
}

class Parser {
  readonly #tokens: Tokens;

  constructor(code: string) {
    this.#tokens = new Tokens(code);
  }

  program(): Program {
    const functions = new Map<string, FunctionSyntax>();
    const structs = new Map<string, readonly Parameter[]>();
    const aliases = new Map<string, TypeName>();
    const globals: (Declared & Placed)[] = [];
    while (this.#tokens.peek() !== '') {
      if (this.#tokens.skip(';')) continue;
      if (['enable', 'requires', 'diagnostic', 'const_assert'].includes(this.#tokens.peek())) {
        while (!this.#tokens.skip(';')) this.#tokens.next();
        continue;
      }
      const attributes = this.#attributes();
      if (this.#tokens.skip('struct')) structs.set(this.#tokens.next(), this.#parameters('{', '}'));
      else if (this.#tokens.skip('alias')) {
        const name = this.#tokens.next();
        this.#tokens.expect('=');
        aliases.set(name, this.#type());
      } else if (this.#tokens.skip('fn')) {
        const one = this.#tokens.placed(() => this.#function(attributes.get('workgroup_size')));
        functions.set(one.name, one);
      } else globals.push(this.#tokens.placed(() => this.#declared()));
    }
    return { functions, structs, aliases, globals };
  }

  #function(workgroupSize: readonly Expression[] | undefined): Omit<FunctionSyntax, 'line'> {
    const name = this.#tokens.next();
    const parameters = this.#parameters('(', ')');
    let returns: TypeName | undefined;
    if (this.#tokens.skip('->')) {
      this.#attributes();
      returns = this.#type();
    }
    return { name, parameters, returns, body: this.#block(), workgroupSize };
  }

  #parameters(open: string, close: string): Parameter[] {
    this.#tokens.expect(open);
    const all: Parameter[] = [];
    while (!this.#tokens.skip(close)) {
      const [builtin] = this.#attributes().get('builtin') ?? [];
      const name = this.#tokens.next();
      this.#tokens.expect(':');
      all.push({ name, type: this.#type(), builtin: builtin?.text });
      this.#tokens.skip(',');
    }
    return all;
  }

  #attributes(): Map<string, readonly Expression[]> {
    const all = new Map<string, readonly Expression[]>();
    while (this.#tokens.skip('@')) {
      const name = this.#tokens.next();
      all.set(name, this.#tokens.peek() === '(' ? this.#arguments() : []);
    }
    return all;
  }

  #declared(): Declared {
    const kind = this.#tokens.next();
    if (kind !== 'var' && kind !== 'let' && kind !== 'const' && kind !== 'override') return this.#tokens.fail(kind);
    let space = '';
    if (kind === 'var' && this.#tokens.skip('<')) {
      space = this.#tokens.next();
      while (!this.#tokens.skip('>')) this.#tokens.next();
    }
    const name = this.#tokens.next();
    const type = this.#tokens.skip(':') ? this.#type() : undefined;
    const value = this.#tokens.skip('=') ? this.#expression() : undefined;
    this.#tokens.expect(';');
    return { kind, space, name, type, value };
  }

  #type(): TypeName {
    const name = this.#tokens.next();
    if (!/^[A-Za-z_]/.test(name)) return this.#tokens.fail(name);
    const args: (TypeName | Expression)[] = [];
    if (GENERIC.test(name) && this.#tokens.skip('<')) {
      while (!this.#tokens.skip('>')) {
        // Numbers are the count of an array and a matrix's columns and rows; all others are types, or names such as `function`.
        const isNumber = args.length > 0 && /^(array|subgroup_matrix_\w+)$/.test(name);
        args.push(isNumber ? this.#binary(LEVELS.length - 2) : this.#type());
        this.#tokens.skip(',');
      }
    }
    return { name, args };
  }

  #block(): Block {
    this.#tokens.expect('{');
    const all: Statement[] = [];
    while (!this.#tokens.skip('}')) if (!this.#tokens.skip(';')) all.push(this.#statement());
    return all;
  }

  #statement(): Statement {
    return this.#tokens.placed(() => this.#unplaced());
  }

  #unplaced(): Unplaced {
    switch (this.#tokens.peek()) {
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
        this.#tokens.next();
        const condition = this.#expression();
        return { kind: 'loop', first: [], condition, body: this.#block(), next: [], until: undefined };
      }
      case 'loop':
        return this.#loop();
      case 'break':
      case 'continue': {
        const kind = this.#tokens.next() as 'break' | 'continue';
        this.#tokens.expect(';');
        return { kind };
      }
      case 'return': {
        this.#tokens.next();
        const value = this.#tokens.peek() === ';' ? undefined : this.#expression();
        this.#tokens.expect(';');
        return { kind: 'return', value };
      }
      case 'switch':
        return this.#tokens.fail('switch');
    }
    const statement = this.#simple();
    this.#tokens.expect(';');
    return statement;
  }

  #if(): Unplaced {
    this.#tokens.expect('if');
    const condition = this.#expression();
    const then = this.#block();
    if (!this.#tokens.skip('else')) return { kind: 'if', condition, then, otherwise: [] };
    return {
      kind: 'if',
      condition,
      then,
      otherwise: this.#tokens.peek() === 'if' ? [this.#statement()] : this.#block(),
    };
  }

  #for(): Unplaced {
    this.#tokens.expect('for');
    this.#tokens.expect('(');
    const first: Statement[] = [];
    if (['var', 'let', 'const'].includes(this.#tokens.peek())) first.push(this.#statement());
    else if (!this.#tokens.skip(';')) {
      first.push(this.#tokens.placed(() => this.#simple()));
      this.#tokens.expect(';');
    }
    const condition = this.#tokens.peek() === ';' ? undefined : this.#expression();
    this.#tokens.expect(';');
    const next = this.#tokens.peek() === ')' ? [] : [this.#tokens.placed(() => this.#simple())];
    this.#tokens.expect(')');
    return { kind: 'loop', first, condition, body: this.#block(), next, until: undefined };
  }

  #loop(): Unplaced {
    this.#tokens.expect('loop');
    this.#tokens.expect('{');
    const body: Statement[] = [];
    const next: Statement[] = [];
    let until: Expression | undefined;
    while (!this.#tokens.skip('}')) {
      if (!this.#tokens.skip('continuing')) {
        if (!this.#tokens.skip(';')) body.push(this.#statement());
        continue;
      }
      this.#tokens.expect('{');
      while (!this.#tokens.skip('}')) {
        if (this.#tokens.peek() === 'break' && this.#tokens.peek(1) === 'if') {
          this.#tokens.place += 2;
          until = this.#expression();
          this.#tokens.expect(';');
        } else next.push(this.#statement());
      }
    }
    return { kind: 'loop', first: [], condition: undefined, body, next, until };
  }

  /** An assignment, `x++`, or a call. */
  #simple(): Unplaced {
    if (this.#tokens.skip('_')) {
      this.#tokens.expect('=');
      return { kind: 'call', call: this.#expression() };
    }
    const to = this.#unary();
    const operator = this.#tokens.next();
    if (operator === '++' || operator === '--') {
      const one: Expression = { kind: 'literal', type: 'int', value: 1, text: '1' };
      return { kind: 'assign', operator: operator[0]!, to, value: one };
    }
    if (operator === '=') return { kind: 'assign', operator: '', to, value: this.#expression() };
    if (operator === '>' && this.#tokens.skip('>') && this.#tokens.skip('='))
      return { kind: 'assign', operator: '>>', to, value: this.#expression() };
    if (/^([-+*/%&|^]|<<)=$/.test(operator))
      return { kind: 'assign', operator: operator.slice(0, -1), to, value: this.#expression() };
    this.#tokens.place--;
    if (to.kind !== 'call') return this.#tokens.fail(operator);
    return { kind: 'call', call: to };
  }

  #expression(): Expression {
    return this.#binary(0);
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.#unary();
    const start = this.#tokens.place;
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#operator();
      if (!operators.includes(operator)) return left;
      // `>` and what belongs to it are tokens of their own, since `>>` may also close two types.
      this.#tokens.place += operator[0] === '>' ? operator.length : 1;
      const right = this.#binary(level + 1);
      left = { kind: 'binary', operator, left, right, text: this.#tokens.text(start) };
    }
  }

  #operator(): string {
    const one = this.#tokens.peek();
    const two = this.#tokens.peek(1);
    const adjacent = this.#tokens.touch();
    if (one !== '>' || !adjacent || (two !== '>' && two !== '=')) return one;
    return two === '>' && this.#tokens.peek(2) === '=' ? '>>=' : one + two;
  }

  #unary(): Expression {
    const start = this.#tokens.place;
    const operator = this.#tokens.peek();
    if (['-', '!', '~', '&', '*'].includes(operator)) {
      this.#tokens.next();
      const of = this.#unary();
      return { kind: 'unary', operator, of, text: this.#tokens.text(start) };
    }
    let one = this.#primary();
    for (;;) {
      if (this.#tokens.skip('[')) {
        const index = this.#expression();
        this.#tokens.expect(']');
        one = { kind: 'index', of: one, index, text: this.#tokens.text(start) };
      } else if (this.#tokens.skip('.'))
        one = { kind: 'member', of: one, name: this.#tokens.next(), text: this.#tokens.text(start) };
      else return one;
    }
  }

  #primary(): Expression {
    const start = this.#tokens.place;
    if (this.#tokens.skip('(')) {
      const inner = this.#expression();
      this.#tokens.expect(')');
      return { ...inner, text: this.#tokens.text(start) };
    }
    const text = this.#tokens.peek();
    if (/^[\d.]/.test(text)) {
      this.#tokens.next();
      return { kind: 'literal', text, ...numberOf(text) };
    }
    if (text === 'true' || text === 'false') {
      this.#tokens.next();
      return { kind: 'literal', type: 'bool', value: Number(text === 'true'), text };
    }
    const to = this.#type();
    if (this.#tokens.peek() !== '(') return { kind: 'name', name: to.name, text };
    const args = this.#arguments();
    return { kind: 'call', to, args, text: this.#tokens.text(start) };
  }

  #arguments(): Expression[] {
    this.#tokens.expect('(');
    const all: Expression[] = [];
    while (!this.#tokens.skip(')')) {
      all.push(this.#expression());
      this.#tokens.skip(',');
    }
    return all;
  }
}
