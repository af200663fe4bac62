/** The commands, in the order in which `ptdpc --help` lists them. */
import type { CommandEntry } from './run.js';

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', summary: 'run the whole job offline, on drawn scenes', load: () => import('./demo.js') },
  { name: 'doctor', summary: 'show what this machine can compute on', load: () => import('./doctor.js') },
  { name: 'tune', summary: "measure kernel variants on this machine's GPU", load: () => import('./tune.js') },
  { name: 'cache', summary: 'show and empty the cache of image features', load: () => import('./cache.js') },
  { name: 'fetch', summary: 'download a CLIP and make a model directory of it', load: () => import('./fetch.js') },
  { name: 'verify', summary: 'check a model, against published numbers too', load: () => import('./verify.js') },
  { name: 'convert', summary: 'make a model directory from a CLIP checkpoint', load: () => import('./convert.js') },
  { name: 'random-model', summary: 'make a CLIP with random weights', load: () => import('./random-model.js') },
  { name: 'data', summary: 'say what a folder holds as a data set', load: () => import('./data.js') },
  { name: 'tokenize', summary: 'print the token ids of texts', load: () => import('./tokenize.js') },
  { name: 'preprocess', summary: 'write what CLIP sees of an image', load: () => import('./preprocess.js') },
  { name: 'embed', summary: 'encode images into features', load: () => import('./embed.js') },
  { name: 'zeroshot', summary: 'classify images by CLIP without tuning', load: () => import('./zeroshot.js') },
  { name: 'probe', summary: 'train a linear layer on a frozen encoder', load: () => import('./probe.js') },
  { name: 'train', summary: 'tune prompts on a folder of labelled images', load: () => import('./train.js') },
  { name: 'eval', summary: 'evaluate the prompts of a run', load: () => import('./eval.js') },
  { name: 'predict', summary: 'predict the class of new images', load: () => import('./predict.js') },
  { name: 'explain', summary: 'show what prompts have become', load: () => import('./explain.js') },
  { name: 'report', summary: 'write the page of a run or of experiments', load: () => import('./report.js') },
  { name: 'experiment', summary: "compute the paper's tables and figures", load: () => import('./experiment.js') },
  { name: 'lab', summary: 'measure kernels, and try WGSL of your own', load: () => import('./lab.js') },
];
