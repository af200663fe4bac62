/** The command line as it was given, for messages. */

/** This command line, for a shell. */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  return ['ptdpc', ...args].map(quoted).join(' ');
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
