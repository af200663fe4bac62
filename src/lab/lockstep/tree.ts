/** WGSL as a tree: what `syntax` reads and `compile` runs. */

/** `array<vec4<f32>, 8>`; an argument may be an expression, such as a count. */
export interface TypeName {
  readonly name: string;
  readonly args: readonly (TypeName | Expression)[];
}

export type Expression = { readonly text: string } & (
  | {
      readonly kind: 'literal';
      readonly type: 'bool' | 'u32' | 'i32' | 'f32' | 'f16' | 'int' | 'float';
      readonly value: number;
    }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly to: TypeName; readonly args: readonly Expression[] }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
);

/** `var`, `let`, `const` or `override`. */
export interface Declared {
  readonly kind: 'var' | 'let' | 'const' | 'override';
  /** Of a `var`: `workgroup`, `storage` and so on; empty in a function. */
  readonly space: string;
  readonly name: string;
  readonly type: TypeName | undefined;
  readonly value: Expression | undefined;
}

/** Where something begins in the text. */
export interface Placed {
  /** From 1. */
  readonly line: number;
}

export type Statement = Placed &
  (
    | Declared
    | { readonly kind: 'assign'; readonly operator: string; readonly to: Expression; readonly value: Expression }
    | { readonly kind: 'call'; readonly call: Expression }
    | { readonly kind: 'if'; readonly condition: Expression; readonly then: Block; readonly otherwise: Block }
    | {
        readonly kind: 'loop';
        readonly first: Block;
        readonly condition: Expression | undefined;
        readonly body: Block;
        readonly next: Block;
        /** `break if` at the end of `continuing`. */
        readonly until: Expression | undefined;
      }
    | { readonly kind: 'block'; readonly body: Block }
    | { readonly kind: 'break' | 'continue' }
    | { readonly kind: 'return'; readonly value: Expression | undefined }
  );

export type Block = readonly Statement[];

/** A function's parameter, or a structure's field. */
export interface Parameter {
  readonly name: string;
  readonly type: TypeName;
  /** `workgroup_id` of `@builtin(workgroup_id)`. */
  readonly builtin: string | undefined;
}

export interface FunctionSyntax extends Placed {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly returns: TypeName | undefined;
  readonly body: Block;
  readonly workgroupSize: readonly Expression[] | undefined;
}

/** A whole text, its declarations by name. */
export interface Program {
  readonly functions: ReadonlyMap<string, FunctionSyntax>;
  readonly structs: ReadonlyMap<string, readonly Parameter[]>;
  readonly aliases: ReadonlyMap<string, TypeName>;
  /** Variables and constants in the order of the text. */
  readonly globals: readonly (Declared & Placed)[];
}
