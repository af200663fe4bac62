/** Runs that the browser keeps over a reload (IndexedDB): settings, metrics and learned prompts, never pictures of the user's. */
import type { Run } from './runs.js';

/** A run with the bytes of its prompts.safetensors, if it has prompts. */
export interface KeptRun {
  readonly id: string;
  /** Runs come back in this order. */
  readonly place: number;
  readonly run: Run;
  readonly prompts: Uint8Array<ArrayBuffer> | null;
}

const NAME = 'ptdpc';
const STORE = 'runs';

export async function keptRuns(): Promise<KeptRun[]> {
  const all = (await inStore('readonly', (store) => store.getAll())) as KeptRun[];
  return all.sort((a, b) => a.place - b.place);
}

/** Rejects with the browser's error if there is no room. */
export async function keepRun({ run, ...kept }: KeptRun): Promise<void> {
  // What is of this visit only, and what is the user's.
  const { progress: _, ...lasting } = run;
  const { watched } = run.data;
  const own = watched.some(({ picture }) => picture.kind === 'file');
  const value: KeptRun = { ...kept, run: { ...lasting, data: { ...run.data, watched: own ? [] : watched } } };
  await inStore('readwrite', (store) => store.put(value));
}

export const forgetRun = (id: string): Promise<unknown> => inStore('readwrite', (store) => store.delete(id));
export const forgetRuns = (): Promise<unknown> => inStore('readwrite', (store) => store.clear());

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const { result } = await settled(work(transaction.objectStore(STORE)), transaction);
    return result;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** A write is there once its transaction is complete: a full disk is reported no earlier. */
function settled<T>(request: IDBRequest<T>, transaction: IDBTransaction): Promise<IDBRequest<T>> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request);
    transaction.onabort = () => reject(transaction.error ?? request.error);
    transaction.onerror = () => reject(request.error);
  });
}
