/** The files of a folder that was chosen, or dropped on the page. */
import type { FolderData } from '../protocol.js';

export type Folder = Pick<FolderData, 'name' | 'files'>;

/** Of what a folder's `<input>` gives. */
export function chosenFolder(files: readonly File[]): Folder {
  const [first] = files;
  const name = first?.webkitRelativePath.split('/')[0] ?? '';
  return {
    name,
    files: files.map((file) => ({ path: file.webkitRelativePath.split('/').slice(1).join('/'), file })),
  };
}

/** Undefined if no folder was dropped. What cannot be read is left out. Must be called in the event itself. */
export async function droppedFolder(data: DataTransfer): Promise<Folder | undefined> {
  const roots = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const folders = roots.filter((entry): entry is FileSystemDirectoryEntry => entry.isDirectory);
  const [only] = folders;
  if (!only) return undefined;
  const found: { path: string; file: File }[] = [];
  // Several folders at once are the classes themselves.
  if (folders.length === 1) await collect(only, '', found);
  else for (const folder of folders) await collect(folder, `${folder.name}/`, found);
  return { name: folders.length === 1 ? only.name : folders.map(({ name }) => name).join(', '), files: found };
}

async function collect(
  folder: FileSystemDirectoryEntry,
  prefix: string,
  found: { path: string; file: File }[],
): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory) await collect(entry as FileSystemDirectoryEntry, `${path}/`, found);
    else {
      const file = await fileOf(entry as FileSystemFileEntry);
      if (file) found.push({ path, file });
    }
  }
}

/** A reader gives some entries at a time, and none when all were given. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    for (const entry of some) all.push(entry);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File | undefined> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(undefined)));
}
