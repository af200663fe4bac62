/**
 * The other software, and how it is run: each peer is a program in peers/ that prints one JSON line. It runs while this process waits,
 * doing nothing (a live WebGPU device would otherwise poll and take a core away from it).
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/node/package.js';
import type { ComparedEncoder } from '../src/ptdpc/experiment/paper-tables.js';
import { benchFile } from './models.js';
import type { BenchOptions, DeviceName, ProductSizes } from './session.js';

export interface Peer {
  readonly name: string;
  /** How to run it; undefined if it is not installed. */
  readonly command?: readonly string[] | undefined;
  /**
   * What it reached when all peers were first measured, on 2 cores of an AMD EPYC (AVX2) without a GPU, WebGPU on Mesa 25's
   * llvmpipe. Shown, marked as such, where it cannot be run now.
   */
  readonly recorded?: number | undefined;
}

const LONGEST_RUN_MS = 600_000;

/** Runs a peer; returns the `value` of its last line. Throws an Error with the reason where it fails. */
export function runPeer(command: readonly string[]): number {
  const { value } = runPeerJson(command);
  if (typeof value === 'number') return value;
  throw new Error('it printed no value');
}

/** Runs a peer; returns its last line of JSON. Throws an Error with the reason where it fails. */
export function runPeerJson(command: readonly string[]): Record<string, unknown> {
  const [program = '', ...args] = command;
  const { stdout, stderr, error } = spawnSync(program, args, {
    cwd: peersFolder(),
    encoding: 'utf8',
    timeout: LONGEST_RUN_MS,
  });
  const line = (stdout ?? '').split('\n').findLast((text) => text.startsWith('{'));
  if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
  const reason = (stderr ?? '').split('\n').findLast((text) => /error/i.test(text));
  throw new Error(reason ?? error?.message ?? 'it printed no result');
}

const DESIGN_PRODUCT = 'm1024 k768 n3072';

export function matmulPeers(device: DeviceName, { m, k, n }: ProductSizes, { seconds }: BenchOptions): Peer[] {
  const sizes = [m, k, n].map(String);
  const known = `m${m} k${k} n${n}` === DESIGN_PRODUCT;
  const script = (name: string, file: string, backend: string, recorded: number | undefined): Peer => ({
    name,
    command: node(file, [backend, ...sizes, String(seconds)]),
    recorded: known ? recorded : undefined,
  });
  if (device === 'webgpu') {
    return [
      script('jax-js WebGPU', 'jax_matmul.mjs', 'webgpu', 7.8),
      script('onnxruntime WebGPU', 'onnxruntime_matmul.mjs', 'webgpu', 4.7),
      script('tfjs WebGPU', 'tfjs_matmul.mjs', 'webgpu', 3.9),
    ];
  }
  return [
    {
      name: 'OpenBLAS (PyTorch)',
      command: python('torch', 'pytorch_matmul.py', [...sizes, '--seconds', String(seconds)]),
      recorded: known ? 180 : undefined,
    },
    script('onnxruntime CPU', 'onnxruntime_matmul.mjs', 'cpu', undefined),
    script('jax-js wasm', 'jax_matmul.mjs', 'wasm', 34),
    script('tfjs wasm', 'tfjs_matmul.mjs', 'wasm', 20),
  ];
}

export function encodePeers(device: DeviceName, { encodeBatch, quick }: BenchOptions): Peer[] {
  const onnxruntime = (backend: string, recorded: number): Peer => ({
    name: `onnxruntime ${backend === 'cpu' ? 'CPU' : 'WebGPU'}`,
    command: onnxruntimeEncode(backend, encodeBatch, quick ? 1 : 3),
    recorded,
  });
  if (device === 'webgpu') return [onnxruntime('webgpu', 0.53)];
  const args = ['--batch', String(encodeBatch), '--iterations', quick ? '1' : '3'];
  return [
    { name: 'PyTorch CPU', command: python('torch', 'pytorch_towers.py', args), recorded: 7.4 },
    onnxruntime('cpu', 19.5),
  ];
}

/** Other encoders of Table 4: torchvision's, or those of test/reference. */
export function encoderPeers(name: ComparedEncoder, device: DeviceName, { encodeBatch, quick }: BenchOptions): Peer[] {
  const batch = String(encodeBatch);
  const runs = quick ? 1 : 3;
  const write = (file: string) =>
    python('torchvision', 'pytorch_encoders.py', [name, '--batch', batch, '--onnx', file]);
  const onnxruntime = {
    name: `onnxruntime ${device === 'cpu' ? 'CPU' : 'WebGPU'}`,
    command: onnxruntimeRun(device, benchFile(`${name.toLowerCase()}-${batch}.onnx`), encodeBatch, runs, write),
  };
  if (device === 'webgpu') return [onnxruntime];
  const args = [name, '--batch', batch, '--iterations', String(runs)];
  return [{ name: 'PyTorch CPU', command: python('torchvision', 'pytorch_encoders.py', args) }, onnxruntime];
}

/** The vision tower in onnxruntime. */
function onnxruntimeEncode(backend: string, batch: number, runs: number): string[] | undefined {
  return onnxruntimeRun(backend, benchFile(`vision-tower-${batch}.onnx`), batch, runs, (file) =>
    python('torch', 'export_vision_tower.py', [file, '--batch', String(batch)]),
  );
}

/** A model in onnxruntime; PyTorch writes the file. */
function onnxruntimeRun(
  backend: string,
  file: string,
  batch: number,
  runs: number,
  writer: (file: string) => string[] | undefined,
): string[] | undefined {
  const run = node('onnxruntime_encode.mjs', [backend, file, String(batch), String(runs)]);
  const write = writer(file);
  if (!run || !write) return undefined;
  if (!existsSync(file)) spawnSync(write[0]!, write.slice(1), { cwd: peersFolder() });
  return existsSync(file) ? run : undefined;
}

/** PyTorch on the task that losses.ts writes. */
export function lossesPeer(task: string): string[] | undefined {
  return python('torch', 'pytorch_losses.py', [task]);
}

/** PyTorch on the CPU is the peer on both devices. */
export function trainingPeers({ quick }: BenchOptions): Peer[] {
  const [truncated, usual] = stepPeers(['--batch', quick ? '2' : '4', '--iterations', '1']);
  return [
    { ...truncated, recorded: 1.9 },
    { ...usual, recorded: 0.37 },
  ];
}

/** The same, by CoCoOp. */
export function cocoopPeers(batch: number, classes: number): Peer[] {
  return stepPeers(['--learner', 'cocoop', '--classes', `${classes}`, '--batch', `${batch}`, '--iterations', '1']);
}

function stepPeers(args: readonly string[]): [Peer, Peer] {
  const script = (only: string) => python('torch', 'pytorch_step.py', ['--only', only, ...args]);
  return [
    { name: 'PyTorch CPU, truncated', command: script('truncated') },
    { name: 'PyTorch CPU, usual', command: script('usual') },
  ];
}

/** Decoding and preprocessing in Pillow, on one thread as here. `image` is a file. */
export function imagePeers(image: string, { seconds }: BenchOptions): Peer[] {
  return [{ name: 'Pillow', command: python('PIL', 'pillow_images.py', [image, '--seconds', String(seconds)]) }];
}

function peersFolder(): string {
  return join(packageRoot(), 'bench', 'peers');
}

/** A script in JavaScript, where the peers' own packages are installed. */
function node(file: string, args: readonly string[]): string[] | undefined {
  return existsSync(join(peersFolder(), 'node_modules')) ? [process.execPath, file, ...args] : undefined;
}

const interpreters = new Map<string, string | undefined>();

/** A script in Python, where some interpreter has the module that it needs. */
function python(module: string, file: string, args: readonly string[]): string[] | undefined {
  if (!interpreters.has(module)) {
    const has = (program: string) => spawnSync(program, ['-c', `import ${module}`]).status === 0;
    interpreters.set(module, ['python3', '/usr/bin/python3'].find(has));
  }
  const interpreter = interpreters.get(module);
  return interpreter ? [interpreter, file, ...args] : undefined;
}
