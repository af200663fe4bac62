/** The job files in docs/experiments: what they are to a cluster, and that the commands in them are ours. test/slurm runs the first one. */
import { readdir, readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { configure } from '../../src/cli/experiment.js';
import { taskShare } from '../../src/ptdpc/experiment/index.js';

const read = (name: string) => readFile(new URL(`../../docs/experiments/${name}`, import.meta.url), 'utf8');

/** The options of an `experiment run` command line; throws what commander finds wrong. */
async function runOptions(words: readonly string[]): Promise<Record<string, unknown>> {
  expect(words.slice(0, 3)).toEqual(['ptdpc', 'experiment', 'run']);
  const experiment = new Command('experiment').exitOverride();
  configure(experiment);
  const run = experiment.commands.find((command) => command.name() === 'run')!.exitOverride();
  let options: Record<string, unknown> = {};
  run.action((given: Record<string, unknown>) => {
    options = given;
  });
  await experiment.parseAsync(words.slice(2), { from: 'user' });
  return options;
}

/** The fields of a batch/v1 Job that the manifest uses, with their types; any other is refused. */
const quantity = v.pipe(v.string(), v.regex(/^\d+(?:\.\d+)?(?:m|[kMGT]i?)?$/));
const name = v.pipe(v.string(), v.regex(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const Job = v.strictObject({
  apiVersion: v.literal('batch/v1'),
  kind: v.literal('Job'),
  metadata: v.strictObject({ name }),
  spec: v.strictObject({
    completionMode: v.literal('Indexed'),
    completions: count,
    parallelism: count,
    backoffLimit: count,
    template: v.strictObject({
      spec: v.strictObject({
        restartPolicy: v.picklist(['OnFailure', 'Never']),
        containers: v.tuple([
          v.strictObject({
            name,
            image: v.string(),
            // Numbers have to be quoted in YAML: arguments are strings.
            command: v.array(v.string()),
            resources: v.strictObject({ requests: v.strictObject({ cpu: quantity, memory: quantity }) }),
            volumeMounts: v.tuple([v.strictObject({ name, mountPath: v.string() })]),
          }),
        ]),
        volumes: v.tuple([v.strictObject({ name, persistentVolumeClaim: v.strictObject({ claimName: name }) })]),
      }),
    }),
  }),
});

test('kubernetes.yaml is an Indexed Job whose pods take all shares of the plan', async () => {
  const documents = parseAllDocuments(await read('kubernetes.yaml'), { strict: true, uniqueKeys: true });
  expect(documents).toHaveLength(1);
  const [document] = documents as [(typeof documents)[number]];
  expect([...document.errors, ...document.warnings]).toEqual([]);
  const { spec } = v.parse(Job, document.toJS());
  const { containers, volumes } = spec.template.spec;
  const [{ command, volumeMounts }] = containers;
  expect(volumeMounts[0].name).toBe(volumes[0].name);

  const options = await runOptions(command);
  expect(String(options.out).startsWith(`${volumeMounts[0].mountPath}/`)).toBe(true);
  // Kubernetes does not tell a pod how many there are.
  const shares = Array.from({ length: spec.completions }, (_, index) =>
    taskShare({ completions: options.completions as number }, { JOB_COMPLETION_INDEX: String(index) }),
  );
  expect(shares).toEqual(shares.map((_, index) => ({ index, count: spec.completions })));
});

test('array.sbatch is requeued, adds to its log, and runs the plan that it is given', async () => {
  const lines = (await read('array.sbatch')).split('\n');
  expect(lines[0]).toBe('#!/usr/bin/env bash');
  const options = lines.flatMap((line) => /^#SBATCH (--\S+)/.exec(line)?.[1] ?? []);
  expect(options).toEqual(expect.arrayContaining(['--requeue', '--open-mode=append', '--output=ptdpc-%A_%a.log']));
  // Slurm reads its options above the first command only.
  const first = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
  expect(lines.slice(first).filter((line) => line.startsWith('#SBATCH'))).toEqual([]);
  const [, words] =
    /^exec \$\{PTDPC:-npx --no-install (.+)$/.exec(lines.find((line) => line.startsWith('exec '))!) ?? [];
  expect(
    await runOptions(
      words!
        .replace('}', '')
        .replace(/"\$\{1:\?.*\}"/, 'paper')
        .split(' '),
    ),
  ).toMatchObject({
    out: 'paper',
  });
});

test('no script takes a program from the registry that is not installed', async () => {
  const root = new URL('../../', import.meta.url);
  const scripts = (await readdir(new URL('scripts', root))).filter((name) => name.endsWith('.sh'));
  const files = ['docs/experiments/array.sbatch', 'docs/experiments/kubernetes.yaml', '.ci/run'];
  for (const file of [...files, ...scripts.map((name) => `scripts/${name}`)]) {
    const text = await readFile(new URL(file, root), 'utf8');
    const commands = text.split('\n').filter((line) => /\bnpx (?!--no-install )\w/.test(line));
    expect(commands, file).toEqual([]);
  }
});
