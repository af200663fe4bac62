/** A hashing thread (see file-hash.ts): paths in, the SHA-256 of the files one after the other out. */
import { parentPort, workerData } from 'node:worker_threads';
import { hashFilesHere } from './file-hash.js';

parentPort?.postMessage(await hashFilesHere(workerData as string[]));
