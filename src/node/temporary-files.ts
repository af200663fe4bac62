/**
 * Names of files and directories that are being written. They carry the writer's tag, so that what a killed process left behind
 * can be told from what a running one is at work on.
 *
 *     .<name>.<tag>.<number>.tmp
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isGone, processTag, TAG_PATTERN } from './process-tag.js';

const TEMPORARY = new RegExp(`^\\.(.+)\\.(${TAG_PATTERN})\\.[0-9]+\\.tmp$`);

let made = 0;

/** A new temporary name beside `path`. */
export function temporaryPath(path: string): string {
  const target = resolve(path);
  return join(dirname(target), `.${basename(target)}.${processTag()}.${made++}.tmp`);
}

/** Whether a name in a folder is a temporary one. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Removes what killed processes left in a folder, of one `name` or of all. What cannot be removed stays. */
export async function removeLeftBehind(directory: string, name?: string): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  for (const entry of entries) {
    const [, of, tag] = TEMPORARY.exec(entry) ?? [];
    if (of === undefined || tag === undefined || (name !== undefined && of !== name) || !isGone(tag)) continue;
    await rm(join(directory, entry), { recursive: true, force: true }).catch(() => {});
  }
}
