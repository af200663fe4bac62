/** The reference of the command line, from what `ptdpc <command> --help` prints. */
import { Command, type Help, type Option } from 'commander';
import { COMMANDS } from '../../src/cli/commands.js';
import { addCommand } from '../../src/cli/run.js';
import { table } from './figures.js';

/** An option that so many commands describe alike is described once. */
const SHARED_BY = 4;

/** An option, as help prints it. */
type Printed = readonly [term: string, what: string];

/** All commands in the order of `ptdpc --help`, as Markdown. */
export async function commandReference(): Promise<string> {
  const program = new Command('ptdpc');
  const commands: Command[] = [];
  for (const entry of COMMANDS) commands.push(await addCommand(program, entry, true));
  // By command: what its subcommands have counts once.
  const shared = commonTo(commands.map((one) => [one, ...one.commands].flatMap(optionsOf)));
  const lines = commands.flatMap((command, i) => {
    const { group } = COMMANDS[i]!;
    const head = group === COMMANDS[i - 1]?.group ? [] : [`## ${group}`, ''];
    return [...head, ...withSubcommands(command, shared)];
  });
  return [...lines, '## Options that commands share', '', optionTable(shared)].join('\n');
}

/** The options that enough of the lists have, each flag once. */
function commonTo(lists: readonly (readonly Printed[])[]): Printed[] {
  const counts = new Map<string, number>();
  for (const list of lists)
    for (const key of new Set(list.map((one) => JSON.stringify(one)))) counts.set(key, (counts.get(key) ?? 0) + 1);
  const common = [...counts].filter(([, count]) => count >= SHARED_BY).sort(([, a], [, b]) => b - a);
  const flags = new Map<string, Printed>();
  for (const [key] of common) {
    const option = JSON.parse(key) as Printed;
    if (!flags.has(flagOf(option))) flags.set(flagOf(option), option);
  }
  return [...flags.values()];
}

function withSubcommands(command: Command, shared: readonly Printed[]): string[] {
  const among = commonTo(command.commands.map(optionsOf)).filter((option) => !isIn(shared, option));
  const own = section(command, '###', [[shared, '[Shared](#options-that-commands-share)']]);
  if (among.length > 0) own.push('', `Options that several of its commands have:`, '', optionTable(among));
  const links: Links = [
    [among, `[As above](#${command.name()})`],
    [shared, '[Shared](#options-that-commands-share)'],
  ];
  return [own, ...command.commands.map((one) => section(one, '####', links))].flatMap((lines) => [...lines, '']);
}

/** Options that are described elsewhere, and what to say of that. */
type Links = readonly (readonly [options: readonly Printed[], link: string])[];

function section(command: Command, mark: string, links: Links): string[] {
  const help = command.createHelp();
  const options = optionsOf(command);
  const own: Printed[] = [
    ...help.visibleArguments(command).map((one): Printed => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...options.filter((option) => !links.some(([elsewhere]) => isIn(elsewhere, option))),
  ];
  const others = links.flatMap(([elsewhere, link]) => {
    const flags = options.filter((option) => isIn(elsewhere, option)).map((option) => code(flagOf(option)));
    return flags.length === 0 ? [] : ['', `${link}: ${flags.join(', ')}.`];
  });
  return [
    `${mark} ${nameOf(command)}`,
    '',
    prose(help.commandDescription(command)),
    ...(command.commands.length > 0 ? [] : ['', code(`npx ${help.commandUsage(command)}`)]),
    ...(own.length === 0 ? [] : ['', optionTable(own)]),
    ...others,
    ...notes(command),
  ];
}

function optionTable(options: readonly Printed[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = options.map(([term, what]) => [cell(code(term)), cell(prose(what))]);
  return table(['option', 'what it does'], rows, 'left');
}

function isIn(options: readonly Printed[], [term, what]: Printed): boolean {
  return options.some((one) => one[0] === term && one[1] === what);
}

/** `--memory` of `-m, --memory <size>`. */
function flagOf([term]: Printed): string {
  return /--[\w-]+/.exec(term)?.[0] ?? term;
}

/** Each option's term and description as help prints them; `--help` itself is not among them. */
function optionsOf(command: Command): Printed[] {
  const help: Help = command.createHelp();
  return help
    .visibleOptions(command)
    .filter(({ long }: Option) => long !== '--help')
    .map((option) => [help.optionTerm(option), help.optionDescription(option)]);
}

/** What help prints after the options: sentences, and examples, each a comment and a command line. */
function notes(command: Command): string[] {
  let printed = '';
  command.configureOutput({ writeOut: (text) => (printed += text) }).outputHelp();
  const [before = '', examples] = printed.slice(command.helpInformation().length).split(/^Examples:\n/m);
  const said = before.trim() === '' ? [] : ['', prose(before.trim().replace(/\s*\n\s*/g, ' '))];
  if (examples === undefined) return said;
  const lines = examples.trimEnd().split('\n');
  return [...said, '', '```sh', ...lines.map((line) => line.replace(/^ {2}(\$ )?/, '')), '```'];
}

/** With the words before it: `lab run`. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${parent.name()} ${command.name()}` : command.name();
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Plain text with nothing in it that Markdown takes for more; options stand out. */
function prose(text: string): string {
  return text
    .replace(/[<*$\\`[\]]|(?<!\w)_|_(?!\w)/g, (character) => `\\${character}`)
    .replace(/(?<![\w-])--[a-z][a-z-]*/g, code);
}
