/** What `train` and its like refuse: one line each, exit code 2, and no run begun. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, ptdpc, scratchPath, setUpProgram } from '../program.js';
import { CLASSES, makeImages, noisyPng, readRunJson, setUpModelAndImages, train, trainArgs } from './support.js';

setUpProgram();
setUpModelAndImages();

const OUT = 'run';
const refused = (message: RegExp, ...options: string[]) => expectRefused(trainArgs(OUT, ...options), message);

afterEach(() => expect(existsSync(scratchPath(OUT)), 'a run was begun').toBe(false));

describe('models', () => {
  /** A copy of the model, changed by `change`. */
  async function changedModel(name: string, change: (directory: string) => Promise<unknown>): Promise<string> {
    await cp(scratchPath('model'), scratchPath(name), { recursive: true });
    await change(scratchPath(name));
    return name;
  }
  const withConfig = (name: string, change: (text: string) => string) =>
    changedModel(name, async (directory) => {
      const path = join(directory, 'config.json');
      const text = await readFile(path, 'utf8');
      expect(change(text)).not.toBe(text);
      await writeFile(path, change(text));
    });

  test('missing, or no model directory', async () => {
    await refused(/nothing: cannot be opened \(no such file or folder\)/, '--model', 'nothing');
    await refused(
      /data: not a model directory, it has no config\.json; download .* npx ptdpc fetch .*, or make one .* npx ptdpc convert$/,
      '--model',
      'data',
    );
    await changedModel('no-vocabulary', (directory) => rm(join(directory, 'merges.txt')));
    await refused(/no-vocabulary\/merges\.txt: missing/, '--model', 'no-vocabulary');
  });

  test('truncated weights', async () => {
    await changedModel('truncated', (directory) => truncate(join(directory, 'model.safetensors'), 1_000_000));
    await refused(/truncated\/model\.safetensors: /, '--model', 'truncated');
  });

  test('a config.json that disagrees with the weights', async () => {
    await withConfig('deeper', (text) => text.replace(/("num_hidden_layers": )2/, '$13'));
    await refused(/deeper\/model\.safetensors: .*layers/, '--model', 'deeper');
    await withConfig('wider', (text) => text.replace('"vocab_size": 1000', '"vocab_size": 1001'));
    await refused(/wider\/model\.safetensors: .*1001/, '--model', 'wider');
  });

  test('a text width other than the joint width', async () => {
    await withConfig('unequal', (text) => text.replace('"projection_dim": 64', '"projection_dim": 32'));
    await refused(/text width 64 differs from the joint width 32/, '--model', 'unequal');
  });
});

describe('images', () => {
  test('no folder, no split, no classes, one class, an empty class', async () => {
    await refused(/nothing: not found; expected a folder of images or a manifest/, '--data', 'nothing');
    await makeImages(scratchPath('only-test'), { test: 1 });
    await refused(
      /only-test: no train images of the classes awe, great_joy, sadness; found test images/,
      '--data',
      'only-test',
    );
    await mkdir(scratchPath('no-classes/train'), { recursive: true });
    await refused(/no-classes\/train: expected one folder per class/, '--data', 'no-classes');
    await refused(/data: expected at least two classes .* one \("awe"\)/, '--classes', 'awe');
    await cp(scratchPath('data'), scratchPath('empty-class'), { recursive: true });
    await mkdir(scratchPath('empty-class/train/anger'));
    await refused(/empty-class: class "anger" has no train images/, '--data', 'empty-class');
    await expectRefused(
      ['zeroshot', '--model', 'model', '--data', 'only-test', '--split', 'val'],
      /only-test: no val images/,
    );
  });

  test('a class of which nothing can be read, named with the reason', async () => {
    await cp(scratchPath('data'), scratchPath('unreadable'), { recursive: true });
    await writeFile(scratchPath('unreadable/train/awe/00.png'), 'no image');
    for (let i = 0; i < 5; i++) await writeFile(scratchPath(`unreadable/train/sadness/0${i}.png`), '');
    await refused(
      /class "sadness": none of its images could be read; .*unreadable\/train\/sadness\/00\.png/,
      ...['--data', 'unreadable'],
    );
  });

  test('unreadable ones are skipped and listed, and refused with --strict', async () => {
    await cp(scratchPath('data'), scratchPath('some'), { recursive: true });
    await writeFile(scratchPath('some/train/awe/00.png'), 'no image');
    await writeFile(scratchPath('some/val/sadness/cut.png'), noisyPng(2, 1).subarray(0, 300));
    await refused(/some\/train\/awe\/00\.png: /, '--data', 'some', '--strict');
    const { stderr } = await train('skipping', '--data', 'some', '--epochs', '1');
    expect(stderr).toMatch(
      /\n2 unreadable images skipped:\n {2}some\/train\/awe\/00\.png: .*\n {2}some\/val\/sadness\/cut\.png: .*\n/,
    );
    expect((await readRunJson('skipping')).images).toMatchObject({ train: 14, val: 6 });
  });
});

describe('classes', () => {
  const classesJson = async (text: string) => {
    if (!existsSync(scratchPath('listed'))) await cp(scratchPath('data'), scratchPath('listed'), { recursive: true });
    await writeFile(scratchPath('listed/classes.json'), text);
  };

  test('unknown ones, one twice, two with one word', async () => {
    await refused(
      /--classes: class "anger" is not in the data set; it has awe, great_joy, sadness/,
      '--classes',
      'awe,anger',
    );
    await refused(/--classes: class "awe" is listed twice/, '--classes', 'awe,sadness,awe');
    await refused(
      /--classes: classes "awe" and "sadness" have the same word "Joy"/,
      '--classes',
      'awe=joy,sadness=Joy',
    );
    await refused(/--classes: expected names separated by commas, found "awe,,sadness"/, '--classes', 'awe,,sadness');
  });

  test('a damaged classes.json', async () => {
    for (const [text, message] of [
      ['["awe", ', /listed\/classes\.json: expected JSON, found something else/],
      ['["awe", 7]', /found \["awe",7\]/],
      ['{"awe": 7}', /found \{"awe":7\}/],
      ['"awe"', /found "awe"/],
      ['["awe", "rage"]', /classes\.json: class "rage" is not in the data set/],
    ] as const) {
      await classesJson(text);
      await refused(message, '--data', 'listed');
    }
  });
});

describe('options', () => {
  test('a template that is empty, too long, or has {} in it', async () => {
    await refused(/--template.*Expected at least one word/, '--template', ' ');
    await refused(
      /^ptdpc: template "la la .*" with class "awe" is \d+ tokens long, .* at most 77$/,
      ...['--template', 'la '.repeat(100).trim()],
    );
    await refused(/--template.*Expected words without \{\}/, '--template', 'a {} scene');
    const zeroShot = ['zeroshot', '--model', 'model', '--data', 'data', '--template', 'la '.repeat(100)];
    await expectRefused(zeroShot, /expected at most 77 tokens .*, found \d+/);
  });

  test.each([
    ['--lr', 'abc', /'--lr <x>' argument 'abc' is invalid\. Expected auto or a number above 0/],
    ['--lr', '-1', /--lr.*Expected auto or a number above 0/],
    ['--epochs', '0', /--epochs.*Expected a whole number from 1/],
    ['--batch-size', '1.5', /--batch-size.*Expected a whole number/],
    ['--gamma', '0', /--gamma.*Expected a number above 0/],
    ['--seed', '-1', /--seed.*Expected a whole number from 0 to 4294967295/],
    ['--logit-scale', 'none', /--logit-scale.*Expected clip or a number above 0/],
    ['--memory', 'lots', /--memory.*Expected a size such as 512MiB/],
    ['--mode', 'all', /--mode.*Allowed choices are both, cs, is, none/],
    ['--frobnicate', '1', /unknown option '--frobnicate'/],
  ])('%s %s', (option, value, message) => refused(message, option, value));

  test('too little memory', async () => {
    await refused(/--memory: encoding one image with this model needs \d\.\d MiB, found 0\.0 MiB/, '--memory', '1KiB');
    const { stderr } = await ptdpc(trainArgs('never', '--memory', '1KiB'));
    const [, need] = /needs (\d\.\d) MiB/.exec(stderr) ?? [];
    // What suffices for an image of a few patches does not for a prompt of 60 words.
    const long = ['--template', 'la '.repeat(60).trim(), '--memory', `${need}MiB`];
    await refused(/--memory: one prompt of this model needs at least \d+\.\d MiB, found \d/, ...long);
  });

  test('a learning rate at which the loss is lost; the folder stays free for another', async () => {
    const diverging = ['--optimizer', 'adamw', '--lr', '1e300', '--batch-size', '4'];
    const { code, stderr } = await ptdpc(trainArgs('diverging', ...diverging));
    expect(stderr).toMatch(
      /\nptdpc: the loss became NaN in epoch 1 of 10, at step \d: try a smaller --lr than 1e\+300; no epoch was finished, so diverging can be reused with another --lr\n$/,
    );
    expect(code).toBe(2);
    await train('diverging', '--epochs', '1');
    expect((await readRunJson('diverging')).options).toMatchObject({ optimizer: 'sgd', learningRate: 0.1 });
  });

  test('WebGPU without an adapter', async () => {
    const none = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
    // Dawn's native code says on its own account what Vulkan answered; the line that is ours comes last.
    const { code, stdout, stderr } = await ptdpc(trainArgs(OUT, '--device', 'webgpu'), none);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/(?:^|\n)ptdpc: --device webgpu: no WebGPU adapter on this machine; .*\n$/);
    expect(stderr.match(/^ptdpc: /gm)).toHaveLength(1);
  });
});

describe('--out', () => {
  beforeAll(async () => {
    await writeFile(scratchPath('file'), '');
    await train('taken', '--epochs', '1');
  });

  test('a file, a folder of something else, a place that cannot be written', async () => {
    await refused(/file: expected a folder or nothing there yet, found a file/, '--out', 'file');
    await refused(/data: the folder is not empty/, '--out', 'data');
    await refused(
      /--out \/sys\/ptdpc-run: cannot be created \((?:not permitted|permission denied|a read-only file system|no such file or folder)\)/,
      '--out',
      '/sys/ptdpc-run',
    );
    await refused(
      /--out file\/run: cannot be created \(a part of the path is a file, not a folder\)/,
      '--out',
      'file/run',
    );
  });

  test('a run with other options, images, classes or model', async () => {
    const again = (...options: string[]) => ['--out', 'taken', '--epochs', '1', ...options];
    const other = (what: string) => new RegExp(`--out taken: it holds a run with ${what}; choose another folder`);
    await refused(other('--lr 0\\.1, not 0\\.2'), ...again('--lr', '0.2'));
    await refused(other('--epochs 1, not 2'), ...again('--epochs', '2'));
    await refused(other('--shuffle, not --no-shuffle'), ...again('--no-shuffle'));
    const { stderr } = await ptdpc(trainArgs('taken', '--epochs', '2'));
    expect(stderr).not.toMatch(/if interrupted|device: /);
    await refused(other('another classes \\(.*\\)'), ...again('--classes', 'sadness,great_joy,awe'));
    await makeImages(scratchPath('fewer'), { train: 4, val: 2 });
    await refused(other('another number of training images \\(15, now 12\\)'), ...again('--data', 'fewer'));
    await cp(scratchPath('data'), scratchPath('replaced'), { recursive: true });
    await cp(scratchPath('data/test/awe/00.png'), scratchPath('replaced/train/awe/01.png'));
    await refused(
      /--out taken: it holds a run with other training images \(1 of 15, the first is train\/awe\/01\.png\); choose another folder/,
      ...again('--data', 'replaced'),
    );
    await cp(scratchPath('model'), scratchPath('changed'), { recursive: true });
    const bytes = await readFile(scratchPath('changed/model.safetensors'));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(scratchPath('changed/model.safetensors'), bytes);
    await refused(other('another model \\(\\w+, now \\w+\\)'), ...again('--model', 'changed'));
  });
});

test('links to folders of images are followed', async () => {
  await mkdir(scratchPath('linked/train'), { recursive: true });
  for (const name of CLASSES) await symlink(scratchPath(`data/train/${name}`), scratchPath(`linked/train/${name}`));
  await train('from-links', '--data', 'linked', '--epochs', '1');
  expect((await readRunJson('from-links')).images).toMatchObject({ train: 15, val: null });
});
