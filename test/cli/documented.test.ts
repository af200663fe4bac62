/** Every `ptdpc` command line in the documentation parses: the command exists, and so do its options, with the values that they take. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { addRecordingOptions } from '../../src/cli/device.js';
import { opensDevice } from '../../src/cli/run.js';

const ROOT = new URL('../..', import.meta.url).pathname;

async function documents(): Promise<string[]> {
  const below = await readdir(join(ROOT, 'docs'), { recursive: true });
  const docs = below.filter((name) => name.endsWith('.md') && !name.startsWith('api/')).map((name) => `docs/${name}`);
  return ['README.md', ...docs];
}

/** The command lines of a document's indented and fenced blocks, words apart, quotation marks taken off. */
function commandLines(text: string): string[][] {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) => {
    const [, rest] = /^(?: {4}|\$ )?(?:npx |npm run )?(ptdpc (?:-- )?[a-z].*)$/.exec(line) ?? [];
    // An ellipsis stands for options that are not written out.
    if (rest === undefined || / \.\.\.(?: |$)/.test(rest)) return [];
    return rest.split(/ && (?:npx )?(?=ptdpc)/).map((one) => {
      // What follows a hash, or a gap, is said about the command; a gap before an option only lines options up.
      const bare = one.replace(/ #.*$/, '').replace(/^ptdpc -- /, 'ptdpc ');
      const words = bare.split(/ {3,}(?=[^\s-])/)[0]!.match(/"[^"]*"|\S+/g) ?? [];
      return words.slice(1).map((word) => word.replace(/^"|"$/g, ''));
    });
  });
}

/** Parses, and does nothing. Throws what commander finds wrong. */
async function parse([name = '', ...args]: readonly string[]): Promise<void> {
  const entry = COMMANDS.find((command) => command.name === name);
  if (!entry) throw new Error(`there is no command ${name}`);
  const command = new Command(name);
  (await entry.load()).configure(command);
  const quiet = (one: Command): void => {
    if (opensDevice(one)) addRecordingOptions(one);
    one.exitOverride().configureOutput({ writeErr: () => {} });
    if (one.commands.length === 0) one.action(() => {});
    one.commands.forEach(quiet);
  };
  quiet(command);
  await command.parseAsync(args, { from: 'user' });
}

it('in the README and in docs/', async () => {
  const wrong: string[] = [];
  let found = 0;
  for (const name of await documents()) {
    const page = await readFile(join(ROOT, name), 'utf8');
    // A kernel that the page adds is, before that, not there.
    const text = name.endsWith('add-a-kernel.md') ? page.replaceAll('rmsNorm', 'softmax') : page;
    for (const words of commandLines(text)) {
      found++;
      await parse(words).catch((error: unknown) => {
        wrong.push(`${name}: ptdpc ${words.join(' ')}: ${error instanceof Error ? error.message : error}`);
      });
    }
  }
  expect(wrong).toEqual([]);
  expect(found).toBeGreaterThan(15);
});

it('finds what is wrong', async () => {
  await expect(parse(['polish'])).rejects.toThrow(/no command polish/);
  await expect(parse(['train', '--model', 'm', '--data', 'd'])).rejects.toThrow(/--out <run>' not specified/);
  await expect(parse(['report', '--colour'])).rejects.toThrow(/unknown option '--colour'/);
});
