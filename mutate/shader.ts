/** The texts that are mutated, and the kernels and variants that use each. */

import type { Variant } from '../src/kernels/definition.js';
import { allKernels, type Kernel } from '../src/kernels/index.js';
import { reflectShader } from '../src/kernels/webgpu/reflect.js';
import { shaders } from '../src/kernels/webgpu/shaders.generated.js';
import { assembled } from '../src/kernels/webgpu/wgsl-text.js';
import { type Mutation, mutationsOf, type Names } from './mutator.js';

/** A variant of a kernel whose text contains a shader's. */
export interface User {
  readonly kernel: Kernel;
  readonly variant: Variant;
}

export interface Shader {
  /** A file of shaders/, or the kernel whose text is written in its family. */
  readonly name: string;
  readonly isFile: boolean;
  readonly text: string;
  readonly users: readonly User[];
}

/** A mutation with what tells it from all others of its shader, wherever lines are added. */
export interface Mutant extends Mutation {
  readonly shader: string;
  /** `line => line with the fault`; with ` #2` behind it for the second of this kind. */
  readonly id: string;
  /** From 1. */
  readonly line: number;
}

/** All shaders, those of shaders/ first. */
export function allShaders(): Shader[] {
  const users = allKernels().flatMap((kernel) => kernel.variants.map((variant): User => ({ kernel, variant })));
  const files = Object.entries<string>(shaders).map(([name, text]) => ({
    ...{ name, isFile: true, text },
    users: users.filter(({ variant: { wgsl } }) => wgsl === name || includes(wgsl, name)),
  }));
  const written = users
    .filter(({ variant: { wgsl } }) => !/^\w+$/.test(wgsl))
    .map((user) => ({ name: user.kernel.name, isFile: false, text: user.variant.wgsl, users: [user] }));
  return [...files, ...written];
}

function includes(wgsl: string, name: string): boolean {
  let used = false;
  const watched = new Proxy<Readonly<Record<string, string>>>(shaders, {
    get(files, key: string) {
      used ||= key === name;
      return files[key];
    },
  });
  assembled(wgsl, watched);
  return used;
}

/** A user's variant with `text` in place of the shader's own. */
export function variantWith({ name, isFile }: Shader, { variant }: User, text: string): Variant {
  const whole = isFile ? assembled(variant.wgsl, { ...shaders, [name]: text }) : assembled(text);
  // What was included is there now.
  return { ...variant, wgsl: whole.replaceAll('// #include', '// included') };
}

/** The shader's text with a fault. */
export function withFault({ text }: Pick<Shader, 'text'>, { from, to, replacement }: Mutation): string {
  return text.slice(0, from) + replacement + text.slice(to);
}

/** All mutants of a shader. */
export function mutantsOf(shader: Shader): Mutant[] {
  const seen = new Map<string, number>();
  return mutationsOf(shader.text, namesOf(shader)).map((mutation) => {
    const id = changeOf(shader.text, mutation);
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    const line = shader.text.slice(0, mutation.from).split('\n').length;
    return { ...mutation, shader: shader.name, id: count > 1 ? `${id} #${count}` : id, line };
  });
}

/** The lines that a mutation changes, before and after, without their comments. */
function changeOf(text: string, { from, to, replacement }: Mutation): string {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const end = text.indexOf('\n', to) < 0 ? text.length : text.indexOf('\n', to);
  const plain = (lines: string) =>
    lines
      .replace(/\/\/[^\n]*/g, '')
      .replace(/\s+/g, ' ')
      .trim();
  const after = plain(text.slice(start, from) + replacement + text.slice(to, end));
  return `${plain(text.slice(start, end))} => ${after === '' ? 'nothing' : after}`;
}

function namesOf({ isFile, text, users }: Shader): Names {
  const wgsl = isFile ? users[0]?.variant.wgsl : text;
  if (wgsl === undefined) return { params: [], buffers: [] };
  const whole = assembled(wgsl);
  const { params } = reflectShader(whole);
  const types = new Map<string, string[]>();
  for (const [, name, type] of whole.matchAll(/var<storage, read> (\w+): ([^;]+);/g))
    types.set(type!, [...(types.get(type!) ?? []), name!]);
  return {
    params: (['u32', 'f32'] as const).map((type) => params.filter((one) => one.type === type).map(({ name }) => name)),
    buffers: [...types.values()],
  };
}
