/** What a process that was killed leaves behind, and tags of other processes. */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { processTag, temporaryPath } from '../../src/node/process-tag.js';

/** The tag of a process that has ended. */
export const goneTag = processTag().replace(`-${process.pid}-`, `-${spawnSync('true').pid}-`);

/** The tag of another process of this machine, without the time of its start, as on systems that do not tell it. */
export const tagOf = (pid: number): string => processTag().replace(/-\d+-[0-9a-z]+$/, `-${pid}-0`);

/** A temporary name beside `path` that such a process was writing to. */
export function leftBehind(path: string): string {
  const temporary = temporaryPath(path);
  return temporary.replace(basename(temporary), basename(temporary).replace(processTag(), goneTag));
}
