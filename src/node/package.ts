/**
 * Finds this package on disk, its version, and the folder for its caches. The code may run from dist/, from src/, or as part of a bundle, ESM or
 * CommonJS, that may or may not find the installed package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../errors.js';
import { VERSION } from '../version.generated.js';

/** The URL of this module or of the bundle that contains it. Bundlers leave `import.meta` empty in CommonJS output. */
const MODULE_URL: string = import.meta.url ?? pathToFileURL(__filename).href;

/** Resolves a package's file from here. */
export const { resolve: resolveModule } = createRequire(MODULE_URL);

let found: string | undefined;

/** The folder with package.json, dist/ and assets/; undefined in a bundle that does not find the package. */
function findPackageRoot(): string | undefined {
  found ??= aboveThisModule() ?? installed();
  return found;
}

/** The folder with package.json, dist/ and assets/. Throws InputError in a bundle that does not find the package. */
export function packageRoot(): string {
  const root = findPackageRoot();
  if (root === undefined)
    throw new InputError(
      `the files of ptdpc ${VERSION} are not found; install it where the bundle ${fileURLToPath(MODULE_URL)} finds it`,
    );
  return root;
}

export function packageVersion(): string {
  return VERSION;
}

const workerFiles = new Map<string, string | undefined>();

/**
 * The built file of `src/node/<name>.ts`, to start a worker thread from: beside this module or, in a bundle or when running from
 * the sources, in the package. Undefined if neither has it.
 */
export function workerFile(name: string): string | undefined {
  if (!workerFiles.has(name)) {
    const root = findPackageRoot();
    const candidates = [
      fileURLToPath(new URL(`./${name}.js`, MODULE_URL)),
      ...(root === undefined ? [] : [join(root, 'dist', 'node', `${name}.js`)]),
    ];
    workerFiles.set(
      name,
      candidates.find((path) => existsSync(path)),
    );
  }
  return workerFiles.get(name);
}

function aboveThisModule(): string | undefined {
  for (let at = dirname(fileURLToPath(MODULE_URL)); at !== dirname(at); at = dirname(at)) if (isOurs(at)) return at;
  return undefined;
}

function installed(): string | undefined {
  try {
    const root = dirname(resolveModule('ptdpc/package.json'));
    return isOurs(root) ? root : undefined;
  } catch {
    return undefined;
  }
}

/** Worker threads and assets of another version would not match this code. */
function isOurs(folder: string): boolean {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    return name === 'ptdpc' && version === VERSION;
  } catch {
    return false;
  }
}

/** The folder for caches: $PTDPC_CACHE, else $XDG_CACHE_HOME/ptdpc, else ~/.cache/ptdpc. */
export function defaultCacheDirectory(): string {
  const { PTDPC_CACHE, XDG_CACHE_HOME } = process.env;
  return PTDPC_CACHE || join(XDG_CACHE_HOME || join(home(), '.cache'), 'ptdpc');
}

/** A user that the system does not know, as in containers, has no home: then nothing can be written at the place either. */
function home(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}
