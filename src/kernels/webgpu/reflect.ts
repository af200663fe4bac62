/**
 * Reads a kernel's binding contract from its WGSL text: the fields of `struct Params`, the storage bindings with their access, and
 * the pipeline constants. The shader file remains the only place that declares them; launches refer to them by name.
 *
 * This understands the plain subset that `shaders/` is written in, not all of WGSL, and refuses the rest: a field or a binding that
 * was skipped would shift all that follow it.
 */
import { argumentName, type Token, TokenReader, tokensOf, withoutComments } from './wgsl-text.js';

interface Named {
  readonly name: string;
  /** The kernel's argument: the name in camel case. */
  readonly argument: string;
}

/** What a shader declares: its parameters, buffers and constants, in the order of its text. */
export interface ShaderInterface {
  /** Fields of `struct Params` in order; each takes four bytes. */
  params: (Named & { readonly type: 'u32' | 'f32' })[];
  /** Storage bindings 1..n by number; binding 0 is the Params uniform. */
  bindings: (Named & { readonly access: 'read' | 'read_write' })[];
  /** Names of `override` constants. */
  constants: Set<string>;
}

/**
 * Throws Error if a declaration is outside the subset: a parameter that is neither u32 nor f32, a resource that is neither a storage
 * buffer nor the uniform, a group other than 0, bindings not numbered from 1 without a gap, a constant with a number for a name.
 */
export function reflectShader(source: string): ShaderInterface {
  const code = withoutComments(source);
  return reflectTokens(code, tokensOf(code));
}

/** As `reflectShader`, of a text without comments whose tokens are known. Reads every token a few times at most. */
export function reflectTokens(code: string, tokens: readonly Token[]): ShaderInterface {
  const reader = new TokenReader(tokens);
  const found: Resource[] = [];
  const constants = new Set<string>();
  let params: ShaderInterface['params'] | undefined;
  while (reader.peek() !== undefined) {
    if (reader.peek() === '@') {
      const resource = attributed(code, reader);
      if (resource) found.push(resource);
    } else if (reader.skip('override')) {
      const name = reader.peek()!;
      if (isName(name) && [':', '='].includes(reader.peek(1) ?? '')) constants.add(name);
    } else if (reader.skip('struct')) {
      if (!params && reader.peek() === 'Params' && reader.peek(1) === '{') params = paramsOf(code, reader);
    } else {
      reader.place++;
    }
  }
  found.sort((one, other) => one.number - other.number);
  const bindings = found.map(({ text, number, name, access }, i) => {
    if (number !== i + 1) throw new Error(`storage bindings must be numbered from 1 without a gap: ${text}`);
    return { name, argument: argumentName(name), access };
  });
  return { params: params ?? [], bindings, constants };
}

interface Resource {
  readonly text: string;
  readonly number: number;
  readonly name: string;
  readonly access: 'read' | 'read_write';
}

interface Attribute {
  readonly name: string;
  /** Its arguments' tokens. */
  readonly given: readonly string[];
}

const MISPLACED = 'expected every @group and @binding before a variable with a type, found another use of them';

const isName = (text: string | undefined): text is string => text !== undefined && /^\w+$/.test(text);
const isPlace = ({ name }: Attribute) => name === 'group' || name === 'binding';

/** What stands after attributes, if that is a storage buffer. Steps over the attributes, and over a variable after them. */
function attributed(code: string, reader: TokenReader): Resource | undefined {
  const start = reader.at;
  const attributes = attributesOf(reader);
  if (attributes.some(({ name }) => name === 'id'))
    throw new Error('expected pipeline constants that go by name, found @id');
  const places = attributes.filter(isPlace);
  const variable = variableOf(reader);
  if (!variable) {
    if (places.length === 0) return undefined;
    throw new Error(MISPLACED);
  }
  const text = code.slice(start, reader.at).replace(/\s+/g, ' ');
  reader.skip(';');
  const numberOf = (wanted: string) => places.find(({ name }) => name === wanted)?.given;
  const group = wholeNumber(numberOf('group'));
  const binding = wholeNumber(numberOf('binding'));
  if (places.length !== 2 || group !== '0' || binding === undefined)
    throw new Error(`expected @group(0) and @binding(NUMBER), found ${text};`);
  const { space, name, type } = variable;
  const [kind, access = 'read'] = space.split(',');
  if (kind === 'uniform' && binding === '0' && type === 'Params') return undefined;
  if (kind !== 'storage' || (access !== 'read' && access !== 'read_write')) {
    throw new Error(`expected a storage buffer to read or read_write, or Params at binding 0, found ${text};`);
  }
  return { text: `${text};`, number: Number(binding), name, access };
}

function attributesOf(reader: TokenReader): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.skip('@')) {
    const name = reader.peek() ?? '';
    reader.place++;
    let given: readonly string[] = [];
    if (reader.skip('(')) {
      given = reader.until(')') ?? [];
      reader.skip(')');
    }
    if (given.includes('@')) throw new Error(MISPLACED);
    attributes.push({ name, given });
  }
  return attributes;
}

/** `var<space, access> name: type`, up to the semicolon; undefined if something else comes, of which no attribute is stepped over. */
function variableOf(reader: TokenReader): { space: string; name: string; type: string } | undefined {
  if (!reader.skip('var')) return undefined;
  let space: string[] | undefined;
  if (reader.skip('<')) {
    if (reader.find('@') < reader.find('>')) return undefined;
    space = reader.until('>');
    reader.skip('>');
  }
  const name = reader.peek();
  if (!isName(name) || reader.peek(1) !== ':') return undefined;
  reader.place += 2;
  const end = reader.find(';');
  if (reader.find('=') < end || reader.find('@') < end || end === reader.place) return undefined;
  const type = reader.until(';');
  return type && { space: space?.join('') ?? '', name, type: type.join('') };
}

/** `0`, `0u` or `0,` as a number's digits. */
function wholeNumber(given: readonly string[] | undefined): string | undefined {
  if (given?.length !== 1 && !(given?.length === 2 && given[1] === ',')) return undefined;
  return /^(\d+)[iu]?$/.exec(given[0]!)?.[1];
}

/** The fields of `Params {`, which the reader stands at. */
function paramsOf(code: string, reader: TokenReader): ShaderInterface['params'] {
  reader.place++;
  const start = reader.at + 1;
  if (!reader.until('}')) return [];
  const fields = code
    .slice(start, reader.at)
    .split(',')
    .map((field) => field.trim());
  // A comma may follow the last field.
  if (fields.at(-1) === '') fields.pop();
  return fields.map((field) => {
    const [, name, type] = /^(\w+)\s*:\s*(u32|f32)$/.exec(field) ?? [];
    if (name === undefined) throw new Error(`struct Params: expected NAME: u32 or NAME: f32, found "${field}"`);
    return { name, argument: argumentName(name), type: type as 'u32' | 'f32' };
  });
}
