/** The commands, in the order in which `ptdpc --help` lists them. */
import type { CommandEntry } from './run.js';

export const COMMANDS: readonly CommandEntry[] = [
  ...inGroup('Get started', [
    { name: 'demo', summary: 'run everything offline on generated scenes', load: () => import('./demo.js') },
    { name: 'doctor', summary: 'show which devices this machine has', load: () => import('./doctor.js') },
  ]),
  ...inGroup('Models and data', [
    { name: 'fetch', summary: 'download a CLIP, or another encoder', load: () => import('./fetch.js') },
    { name: 'convert', summary: 'convert a checkpoint to a model directory', load: () => import('./convert.js') },
    { name: 'verify', summary: 'check a model, against published numbers too', load: () => import('./verify.js') },
    { name: 'data', summary: 'check a data set: classes, counts, splits', load: () => import('./data.js') },
  ]),
  ...inGroup('Train and evaluate', [
    { name: 'zeroshot', summary: 'evaluate CLIP without training', load: () => import('./zeroshot.js') },
    { name: 'train', summary: 'train prompts on labelled images', load: () => import('./train.js') },
    { name: 'learners', summary: 'list what train can train', load: () => import('./learners.js') },
    { name: 'eval', summary: 'evaluate the prompts of a run', load: () => import('./eval.js') },
    { name: 'probe', summary: 'train a linear probe on a frozen encoder', load: () => import('./probe.js') },
    { name: 'import', summary: "make a run of CoOp's own prompts", load: () => import('./import.js') },
    { name: 'export', summary: 'write prompts for NumPy and PyTorch', load: () => import('./export.js') },
    { name: 'predict', summary: 'classify new images', load: () => import('./predict.js') },
    { name: 'compare', summary: 'compare runs on the same images', load: () => import('./compare.js') },
    { name: 'metrics', summary: 'print the metrics of runs as CSV', load: () => import('./metrics.js') },
    { name: 'explain', summary: 'show what the prompts have learned', load: () => import('./explain.js') },
    { name: 'report', summary: 'write a run or experiments as a web page', load: () => import('./report.js') },
    { name: 'experiment', summary: "reproduce the paper's tables and figures", load: () => import('./experiment.js') },
  ]),
  ...inGroup('Performance', [
    { name: 'autotune', summary: "measure kernel variants on this machine's GPU", load: () => import('./autotune.js') },
    { name: 'certify', summary: 'prove a device right, and measure it', load: () => import('./certify.js') },
    { name: 'cache', summary: 'show or clear the cache of image features', load: () => import('./cache.js') },
  ]),
  ...inGroup('For developers', [
    { name: 'embed', summary: 'encode images as features', load: () => import('./embed.js') },
    { name: 'tokenize', summary: 'print the token ids of texts', load: () => import('./tokenize.js') },
    { name: 'preprocess', summary: 'write an image as CLIP sees it', load: () => import('./preprocess.js') },
    { name: 'random-model', summary: 'create a model with random weights', load: () => import('./random-model.js') },
    { name: 'lab', summary: 'measure kernels, and test your own WGSL', load: () => import('./lab.js') },
  ]),
];

function inGroup(group: string, commands: readonly Omit<CommandEntry, 'group'>[]): CommandEntry[] {
  return commands.map((command) => ({ ...command, group }));
}
