/**
 * Reads a kernel's binding contract from its WGSL text: the fields of `struct Params`, the storage bindings with their access, and
 * the pipeline constants. The shader file remains the only place that declares them; launches refer to them by name.
 *
 * This understands the plain subset that `shaders/` is written in, not all of WGSL, and refuses the rest: a field or a binding that
 * was skipped would shift all that follow it.
 */

export interface ShaderInterface {
  /** Fields of `struct Params` in order; each takes four bytes. */
  params: { name: string; type: 'u32' | 'f32' }[];
  /** Storage bindings 1..n by number; binding 0 is the Params uniform. */
  bindings: { name: string; access: 'read' | 'read_write' }[];
  /** Names of `override` constants. */
  constants: Set<string>;
}

/** A module-scope variable with attributes: these, the address space with its access, the name and the type. */
const VARIABLE = /((?:@\s*\w+\s*(?:\([^)]*\)\s*)?)+)var\s*(?:<([^>]*)>)?\s*(\w+)\s*:\s*([^;=]+);/g;
const PLACE = /@\s*(group|binding)\b\s*(?:\(\s*(\d+)[iu]?\s*,?\s*\))?/g;

/**
 * Throws Error if a declaration is outside the subset: a parameter that is neither u32 nor f32, a resource that is neither a storage
 * buffer nor the uniform, a group other than 0, bindings not numbered from 1 without a gap, a constant with a number for a name.
 */
export function reflectShader(source: string): ShaderInterface {
  const code = withoutComments(source);
  const found: { text: string; number: number; name: string; access: 'read' | 'read_write' }[] = [];
  let places = 0;
  for (const [declaration, attributes = '', space = '', name = '', type = ''] of code.matchAll(VARIABLE)) {
    const text = declaration.replace(/\s+/g, ' ');
    const given = [...attributes.matchAll(PLACE)].map(([, attribute, number]) => [attribute, number] as const);
    places += given.length;
    const { group, binding } = Object.fromEntries(given) as { group?: string; binding?: string };
    if (given.length !== 2 || group !== '0' || binding === undefined) {
      throw new Error(`expected @group(0) and @binding(NUMBER), found ${text}`);
    }
    const [kind, access = 'read'] = space.split(',').map((part) => part.trim());
    if (kind === 'uniform' && binding === '0' && type.trim() === 'Params') continue;
    if (kind !== 'storage' || (access !== 'read' && access !== 'read_write')) {
      throw new Error(`expected a storage buffer to read or read_write, or Params at binding 0, found ${text}`);
    }
    found.push({ text, number: Number(binding), name, access });
  }
  if ([...code.matchAll(PLACE)].length !== places) {
    throw new Error('expected every @group and @binding before a variable with a type, found another use of them');
  }
  found.sort((one, other) => one.number - other.number);
  const bindings = found.map(({ text, number, name, access }, i) => {
    if (number !== i + 1) throw new Error(`storage bindings must be numbered from 1 without a gap: ${text}`);
    return { name, access };
  });
  if (/@\s*id\b/.test(code)) throw new Error('expected pipeline constants that go by name, found @id');
  const constants = new Set([...code.matchAll(/\boverride\s+(\w+)\s*[:=]/g)].map((constant) => constant[1]!));
  return { params: paramsOf(code), bindings, constants };
}

function paramsOf(code: string): ShaderInterface['params'] {
  const struct = /\bstruct\s+Params\s*\{([^}]*)\}/.exec(code)?.[1] ?? '';
  const fields = struct.split(',').map((field) => field.trim());
  // A comma may follow the last field.
  if (fields.at(-1) === '') fields.pop();
  return fields.map((field) => {
    const [, name, type] = /^(\w+)\s*:\s*(u32|f32)$/.exec(field) ?? [];
    if (name === undefined) throw new Error(`struct Params: expected NAME: u32 or NAME: f32, found "${field}"`);
    return { name, type: type as 'u32' | 'f32' };
  });
}

/** Block comments may be nested, and a comment's text does not open the other kind. */
function withoutComments(source: string): string {
  let depth = 0;
  let code = '';
  for (const [part] of source.matchAll(/\/\*|\*\/|\/\/.*|[^/*]+|[/*]/g)) {
    if (part === '/*') depth++;
    else if (depth > 0) depth -= Number(part === '*/');
    else if (!part.startsWith('//')) code += part;
    // A comment separates words like a space.
    if (part === '*/' && depth === 0) code += ' ';
  }
  return code;
}
