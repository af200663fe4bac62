/** What the laboratory remembers on this computer: the text of each kernel, and what was chosen. A browser may refuse to keep anything. */
const PREFIX = 'ptdpc lab ';

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Returns whether it was kept. Null forgets. */
export function remember(name: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
    return true;
  } catch {
    return false;
  }
}
