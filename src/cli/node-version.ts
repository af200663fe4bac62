/** The check of Node's version, in what any Node since 16 can read: no import, no recent syntax. */

/** The oldest Node that this program runs on, as package.json has it. */
const LEAST = { major: 22, minor: 12 };

/** What to say to a Node that is too old for this program, by its version (`18.20.8`); undefined if it is not. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)) return undefined;
  return `ptdpc needs Node ${LEAST.major}.${LEAST.minor} or later; this is v${version}`;
}
