// Stores drafts of forms and composers in this browser for 90 days. They are removed once the server has the text.
const PREFIX = "tutordesk.draft.";
const MAX_AGE_MS = 90 * 86_400_000;

interface Stored<T> {
  at: number;
  value: T;
}

export function readDraft<T>(key: string): Stored<T> | null {
  try {
    const text = localStorage.getItem(PREFIX + key);
    const stored: Stored<T> | null = text ? JSON.parse(text) : null;
    return stored && Date.now() - stored.at < MAX_AGE_MS ? stored : null;
  } catch {
    return null;
  }
}

/** Save a draft. Returns the time of saving, or null if the browser refused. */
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
    // storage is switched off: no draft exists
  }
}
