/** What this browser remembers between visits: choices, never who somebody is. It works without storage, for a visit. */

/** Keeps a text. */
export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Private windows and full disks refuse: the choice then holds until the page is left.
  }
}

/** What was kept, null where nothing was. */
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
