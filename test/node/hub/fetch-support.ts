/** Shared by the tests of whole models: a hub with a small CLIP, and an empty folder to fetch it to. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import { InputError } from '../../../src/errors.js';
import {
  type FetchedModel,
  type FetchOptions,
  fetchModel,
  type ModelRequest,
} from '../../../src/node/hub/fetch-model.js';
import { HttpClient } from '../../../src/node/hub/http.js';
import { openModelDirectory } from '../../../src/node/model-directory.js';
import { tinyVocabJson, tinyVocabulary } from '../../cli/tiny-vocabulary.js';
import { fixture } from '../../support/tiny-clip.js';
import { scratchFolder } from '../scratch.js';
import { testServer } from './test-server.js';

const scratch = scratchFolder();
export const server = testServer();
export const ID = 'someone/clip-tiny';
export const COMMIT = 'c'.repeat(40);
export const WEIGHTS = await readFile(fixture('clip-tiny/model.safetensors'));
export const CONFIG = await readFile(fixture('clip-tiny/config.json'));
export const FILES = {
  'config.json': CONFIG,
  'merges.txt': tinyVocabulary,
  'vocab.json': tinyVocabJson,
  'model.safetensors': WEIGHTS,
};
export const LARGE = { large: ['model.safetensors'] };

let folder: string;
let heard: string[];
let tests = 0;

/** The parent of the folder that a test fetches to. */
export const parent = (): string => folder;

/** The notes of a test's fetches. */
export const notes = (): readonly string[] => heard;

/** Switches to another parent. */
export async function newParent(name: string): Promise<void> {
  folder = scratch(name);
  await mkdir(folder);
}

beforeEach(async () => {
  await newParent(`fetch-${tests++}`);
  heard = [];
});

export const out = () => join(folder, 'model');

export async function fetch(
  request: Partial<ModelRequest> = {},
  options: Partial<FetchOptions> = {},
): Promise<FetchedModel> {
  using client = new HttpClient({ stallAfter: 5000 });
  const whole = { id: ID, revision: 'main', pins: new Map(), endpoint: new URL(server().origin), cache: undefined };
  return await fetchModel(client, { ...whole, ...request }, out(), {
    retries: 1,
    sleep: async () => {},
    onNote: (note) => void heard.push(note),
    onBytes: (bytes) => server().acknowledge(bytes),
    ...options,
  });
}

/** The message of the InputError that `outcome` rejects with. */
export async function refusal(outcome: Promise<unknown>): Promise<string> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(await readdir(folder)).not.toContain('model');
  return (error as InputError).message;
}

/** The path of a file on the hub. */
export const resolved = (file: string, commit = COMMIT) => `/${ID}/resolve/${commit}/${file}`;
/** How often it was requested. */
export const asked = (file: string) => server().ranges(resolved(file)).length;
export const origins = ({ files }: FetchedModel) => Object.fromEntries(files.map(({ name, from }) => [name, from]));

export async function expectModel(): Promise<void> {
  await using model = await openModelDirectory(out());
  expect((await model.tokenizer()).encodeText('a photo', 77).length).toBeGreaterThan(2);
  expect(await readdir(folder)).toEqual(['model']);
}
