/** The model and the prompts that the page brings along. They are fetched from beside the page's own files, and from nowhere else. */
import configUrl from '../../assets/demo-model/config.json?url';
import mergesUrl from '../../assets/demo-model/merges.txt?url';
import weightsUrl from '../../assets/demo-model/model.safetensors?url';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { InputError } from '../../src/errors.js';
import { decodePrompts, openModel, type PromptsFile, ptDpcPrompts } from '../../src/ptdpc/index.js';
import promptsUrl from '../assets/demo-prompts.safetensors?url';
import noiseUrl from '../assets/demo-prompts-noise.safetensors?url';
import paperUrl from '../assets/demo-prompts-paper.safetensors?url';
import type { LoadedModel } from './session.js';

export async function demoModel(): Promise<LoadedModel> {
  const [config, weights, vocabulary] = await Promise.all([
    fetched(configUrl),
    fetched(weightsUrl),
    fetched(mergesUrl),
  ]);
  const source = await openModel({ config: new TextDecoder().decode(config), weights, vocabulary });
  const { imageSize } = source.config.vision;
  return { source, report: { name: 'demonstration', builtIn: true, hash: await source.hash(), imageSize } };
}

/**
 * Tunings of the same scenes: the authors' options, the paper's, and the authors' again. The prompts of the last two started with noise, without
 * which those of all classes stay equal.
 */
export async function demoPrompts(): Promise<PromptsFile[]> {
  const decoded = async (url: string) =>
    ptDpcPrompts(await decodePrompts(bytesSource(nameOf(url), await fetched(url))), nameOf(url));
  return Promise.all([promptsUrl, paperUrl, noiseUrl].map(decoded));
}

async function fetched(url: string): Promise<Uint8Array> {
  const name = nameOf(url);
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new InputError(`${name}: cannot be fetched; is the page's server still there?`);
  }
  if (!response.ok) throw new InputError(`${name}: cannot be fetched: the page's server says ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);
