/**
 * A WGSL entry point as functions that a `Machine` runs for all lanes of a workgroup at once. Control flow is by masks: a branch is executed with the
 * lanes for which it is taken, a loop until none is left, as a subgroup does.
 */
import { InputError } from '../../errors.js';
import { Expressions } from './expressions.js';
import { either, type Machine } from './machine.js';
import { type Located, Scope } from './scope.js';
import { atLine } from './tokens.js';
import type { Block, Declared, FunctionSyntax, Program, Statement } from './tree.js';
import { concrete, type Type, wordsOf } from './types.js';
import { OwnVariable } from './values.js';

type Run = () => void;

/** Where lanes that leave a loop go. */
interface Loop {
  broken: Uint8Array | undefined;
  continued: Uint8Array | undefined;
}

/** A function, compiled once: WGSL has no recursion, so its variables can be the same in every call. */
export interface CompiledFunction {
  readonly parameters: readonly { readonly type: Type; bind(given: Float64Array | Located): void }[];
  readonly returns: Type | undefined;
  /** Words of the variables that live at once, with those of the functions that it calls. */
  readonly words: number;
  /** Runs it for the active lanes; what it returns. */
  call(): Float64Array;
}

/** Of the function that is being compiled. */
interface Current {
  /** Words of the variables in scope, and the most so far. */
  live: number;
  most: number;
  readonly loops: Loop[];
  readonly returns: Type | undefined;
  readonly result: OwnVariable;
}

export class Compiler {
  readonly expressions: Expressions;
  readonly #functions = new Map<string, CompiledFunction>();
  /** Begun, and not yet in `#functions`. */
  readonly #begun = new Set<string>();
  #current: Current | undefined;

  /** `globals`: constants, buffers, the uniform and the workgroup's memory by their names. */
  constructor(
    private readonly machine: Machine,
    private readonly program: Program,
    private readonly globals: Scope,
  ) {
    this.expressions = new Expressions(machine, program, globals, (name) => {
      const called = this.function(name);
      // Its variables live beside those of the caller.
      if (this.#current) this.#current.most = Math.max(this.#current.most, this.#current.live + called.words);
      return called;
    });
  }

  /** Throws InputError if there is no such function, or for what it cannot compile. */
  function(name: string): CompiledFunction {
    const known = this.#functions.get(name);
    if (known) return known;
    const syntax = this.program.functions.get(name);
    if (!syntax) throw new InputError(`expected a function ${name}, found none`);
    if (this.#begun.has(name)) throw new InputError(`${name} calls itself: WGSL has no recursion`);
    this.#begun.add(name);
    const outer = this.#current;
    const compiled = atLine(syntax.line, () => this.#compiled(syntax));
    this.#current = outer;
    this.#functions.set(name, compiled);
    return compiled;
  }

  #compiled({ parameters, returns, body }: FunctionSyntax): CompiledFunction {
    const { machine } = this;
    const type = returns && this.expressions.typeOf(returns);
    const words = type ? wordsOf(type) : 0;
    const result = new OwnVariable(words);
    const current: Current = { live: 0, most: 0, loops: [], returns: type, result };
    this.#current = current;
    const scope = new Scope(this.globals);
    const bound = parameters.map((parameter) => {
      const type = this.expressions.typeOf(parameter.type);
      this.#lives(type);
      return { type, bind: scope.parameter(parameter.name, type) };
    });
    const run = this.#block(body, scope);
    return {
      parameters: bound,
      returns: type,
      words: current.most,
      call: () => {
        const { active: entered, line } = machine;
        if (line > 0) machine.callers.push(line);
        result.declare(machine);
        run();
        machine.activate(entered);
        if (line > 0) machine.callers.pop();
        machine.line = line;
        return result.data;
      },
    };
  }

  /** The function that is being compiled: statements stand in one. */
  get #own(): Current {
    return this.#current!;
  }

  #lives(type: Type): void {
    const own = this.#own;
    own.live += wordsOf(type);
    own.most = Math.max(own.most, own.live);
  }

  #block(statements: Block, outer: Scope): Run {
    const scope = new Scope(outer);
    const live = this.#own.live;
    const runs = statements.map((statement) => this.#statement(statement, scope));
    this.#own.live = live;
    const { machine } = this;
    return () => {
      for (const run of runs) {
        if (machine.activeSubgroups === 0) return;
        run();
      }
    };
  }

  #statement(statement: Statement, scope: Scope): Run {
    const { machine } = this;
    const { line } = statement;
    const run = atLine(line, () => this.#running(statement, scope));
    return () => {
      machine.line = line;
      run();
    };
  }

  #running(statement: Statement, scope: Scope): Run {
    const { machine } = this;
    switch (statement.kind) {
      case 'var':
      case 'let':
      case 'const':
      case 'override':
        return this.#declared(statement, scope);
      case 'assign':
        return this.expressions.assignment(statement, scope);
      case 'call': {
        const value = this.expressions.value(statement.call, scope);
        return () => void value.run();
      }
      case 'block':
        return this.#block(statement.body, scope);
      case 'if': {
        const condition = this.expressions.value(statement.condition, scope);
        const then = this.#block(statement.then, scope);
        const otherwise = this.#block(statement.otherwise, scope);
        return () => {
          const others = machine.narrow(condition.run());
          if (machine.activeSubgroups > 0) then();
          if (!others) return;
          const left = machine.active;
          machine.activate(others);
          otherwise();
          machine.activate(either(left, machine.active));
        };
      }
      case 'loop':
        return this.#loop(statement, scope);
      case 'break':
      case 'continue': {
        const loop = this.#own.loops.at(-1);
        if (!loop) throw new InputError(`${statement.kind}: expected it in a loop`);
        const to = statement.kind === 'break' ? 'broken' : 'continued';
        return () => {
          loop[to] = either(loop[to], machine.active);
          machine.deactivate();
        };
      }
      case 'return': {
        const own = this.#own;
        const type = own.returns;
        const value =
          statement.value && type && this.expressions.as(type, this.expressions.value(statement.value, scope));
        const words = type ? wordsOf(type) : 0;
        return () => {
          if (value) own.result.store(machine, 0, value.run(), words);
          machine.deactivate();
        };
      }
    }
  }

  #loop({ first, condition, body, next, until, line }: Statement & { kind: 'loop' }, outer: Scope): Run {
    const { machine } = this;
    const scope = new Scope(outer);
    const live = this.#own.live;
    const begin = first.map((statement) => this.#statement(statement, scope));
    const test = condition && this.expressions.value(condition, scope);
    const loop: Loop = { broken: undefined, continued: undefined };
    this.#own.loops.push(loop);
    // What the body declares, `continuing` may use.
    const inner = new Scope(scope);
    const round = body.map((statement) => this.#statement(statement, inner));
    this.#own.loops.pop();
    const step = next.map((statement) => this.#statement(statement, inner));
    const end = until && this.expressions.value(until, inner);
    this.#own.live = live;
    return () => {
      for (const run of begin) run();
      // A loop in a function that is called from the loop's own body would be another loop: its lanes are its own.
      loop.broken = undefined;
      const leave = (lanes: Uint8Array | undefined) => {
        if (lanes) loop.broken = either(loop.broken, lanes);
      };
      while (machine.activeSubgroups > 0) {
        machine.line = line;
        machine.countRound();
        if (test) {
          leave(machine.narrow(test.run()));
          if (machine.activeSubgroups === 0) break;
        }
        loop.continued = undefined;
        for (const run of round) {
          if (machine.activeSubgroups === 0) break;
          run();
        }
        if (loop.continued) machine.activate(either(loop.continued, machine.active));
        if (machine.activeSubgroups === 0) break;
        for (const run of step) run();
        if (end) leave(machine.narrow(end.run(), false));
      }
      if (loop.broken) machine.activate(loop.broken);
    };
  }

  #declared({ kind, name, type: typeName, value: given }: Declared, scope: Scope): Run {
    const { machine } = this;
    const raw = given && this.expressions.value(given, scope);
    const type = typeName
      ? this.expressions.typeOf(typeName)
      : raw && (kind === 'const' ? raw.type : concrete(raw.type));
    if (!type) throw new InputError(`${kind} ${name}: expected a type or a value`);
    const value = raw && this.expressions.as(type, raw);
    if (kind !== 'var') {
      if (!value) throw new InputError(`${kind} ${name}: expected a value`);
      if (value.literal !== undefined) {
        scope.define(name, { kind: 'value', value });
        return () => {};
      }
      this.#lives(type);
      let held: Float64Array = new Float64Array(0);
      scope.define(name, { kind: 'value', value: { type, run: () => held } });
      return () => {
        const now = value.run();
        held = value.changes ? now.slice() : now;
      };
    }
    this.#lives(type);
    const words = wordsOf(type);
    const variable = new OwnVariable(words);
    scope.define(name, { kind: 'place', place: { type, space: 'function', at: () => ({ variable, offset: 0 }) } });
    return () => variable.declare(machine, value?.run());
  }
}
