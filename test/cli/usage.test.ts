/** What the frame does for every command: help, usage errors, exit codes. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { expectRefused, fixture, outcomeOf, ptdpc, setUpProgram, startPtdpc } from './program.js';

setUpProgram();

test('--help lists every command, --version is the package version', async () => {
  const help = await ptdpc(['--help']);
  expect([help.code, help.stderr]).toEqual([0, '']);
  for (const { name, summary } of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  const packageJson = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as object;
  expect((await ptdpc(['--version'])).stdout.trim()).toBe(Reflect.get(packageJson, 'version'));
});

test('without a command there is help, on standard error, and a non-zero exit code', async () => {
  const { code, stdout, stderr } = await ptdpc([]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: ptdpc/);
});

describe.each(COMMANDS.map(({ name }) => name))('%s', (name) => {
  test('has help with examples', async () => {
    const { code, stdout, stderr } = await ptdpc([name, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: ptdpc ${name} `));
    expect(stdout).toMatch(new RegExp(`\nExamples:\n  # .+\n  \\$ ptdpc ${name}`));
    expect((await ptdpc(['help', name])).stdout).toBe(stdout);
  });
});

test('what is used wrongly is named', async () => {
  const model = ['--model', fixture('clip-tiny')];
  const embed = ['embed', 'x.png', '--out', 'y', ...model];
  await expectRefused(['polish'], /unknown command 'polish'/);
  await expectRefused([...embed, '--colour'], /unknown option '--colour'/);
  await expectRefused(['embed', 'x.png', ...model], /required option '--out <file>' not specified/);
  await expectRefused(['embed', '--out', 'y', ...model], /missing required argument 'images'/);
  await expectRefused(
    [...embed, '--device', 'tpu'],
    /'--device <device>' argument 'tpu' is invalid.* auto, webgpu, cpu/,
  );
  await expectRefused([...embed, '--memory', 'much'], /'--memory <size>' argument 'much' is invalid\. Expected a size/);
  await expectRefused([...embed, '--memory', '0'], /'--memory <size>' argument '0'/);
  await expectRefused(['preprocess', 'x', '--out', 'y', '--size', '1.5'], /'--size <pixels>'.*whole number from 1/);
  await expectRefused(
    ['random-model', '--out', 'y', '--arch', 'RN50'],
    /'--arch <name>'.*ViT-B\/32, ViT-B\/16, ViT-L\/14/,
  );
  await expectRefused(
    ['random-model', '--out', 'y', '--arch', 'ViT-B/32', '--seed', '-1'],
    /'--seed <n>' argument '-1' is invalid/,
  );
});

test('a reader that leaves early is no error', async () => {
  const child = startPtdpc(['train', '--help']);
  child.stdout.destroy();
  expect(await outcomeOf(child)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});
