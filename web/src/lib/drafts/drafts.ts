// Drafts of forms and composers in this browser's storage: written shortly after each change and at
// once when the page goes away; removed only when the server acknowledged the text.
const PREFIX = "tutordesk.draft.";
const MAX_AGE = 90 * 86_400_000;

interface Stored<T> {
  at: number;
  value: T;
}

export function readDraft<T>(key: string): Stored<T> | null {
  try {
    const text = localStorage.getItem(PREFIX + key);
    const stored = text ? (JSON.parse(text) as Stored<T>) : null;
    return stored && Date.now() - stored.at < MAX_AGE ? stored : null;
  } catch {
    return null;
  }
}

/** Returns the time of saving, or null when the browser refused. */
export function writeDraft<T>(key: string, value: T): number | null {
  const at = Date.now();
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify({ at, value }));
    return at;
  } catch {
    return null;
  }
}

export function clearDraft(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // storage is switched off: there is no draft either
  }
}
