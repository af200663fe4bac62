/**
 * Finds functions that declare something with `using` and return a promise without awaiting it: what they declared is disposed of at the
 * return, while the work that needs it has only begun.
 */
import { relative } from 'node:path';
import ts from 'typescript';

const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

/** Calls `visit` for the nodes of a function, without those of the functions in it. */
function eachOwn(node, visit) {
  ts.forEachChild(node, (child) => {
    if (ts.isFunctionLike(child)) return;
    visit(child);
    eachOwn(child, visit);
  });
}

/** `await using` sets the flag of `using` too. */
function declaresResource(body) {
  let found = false;
  eachOwn(body, (node) => {
    found ||= ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Using) !== 0;
  });
  return found;
}

let faults = 0;
function check(file, node) {
  if (ts.isFunctionLike(node) && node.body && declaresResource(node.body)) {
    eachOwn(node.body, (statement) => {
      if (!ts.isReturnStatement(statement) || !statement.expression || ts.isAwaitExpression(statement.expression))
        return;
      const type = checker.getTypeAtLocation(statement.expression);
      if (!checker.getPromisedTypeOfPromise(type)) return;
      const { line } = file.getLineAndCharacterOfPosition(statement.getStart());
      console.error(
        `${relative('.', file.fileName)}:${line + 1}: returns a promise while \`using\` ends: return await ...`,
      );
      faults++;
    });
  }
  ts.forEachChild(node, (child) => check(file, child));
}

for (const file of program.getSourceFiles()) if (!file.fileName.includes('/node_modules/')) check(file, file);
process.exitCode = faults > 0 ? 1 : 0;
