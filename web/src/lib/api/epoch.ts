// Reloads the page when the database was restored. Each answer names the epoch of the data; a changed epoch means that
// what this tab remembers (lists, chats, positions in streams) belongs to other data, and a reload drops all of it.
// Drafts and unsent messages are in the browser's storage and stay.
const SHARED = "tutordesk.epoch";
const RESTORED = "tutordesk.restored";

let known: string | null = null;
let isLeaving = false;

function remember(epoch: string): void {
  known = epoch;
  try {
    localStorage.setItem(SHARED, epoch); // notifies the other tabs
  } catch {
    // storage is switched off: each tab notices by itself
  }
}

function leave(): void {
  isLeaving = true;
  try {
    sessionStorage.setItem(RESTORED, "1");
  } catch {
    // storage is switched off: the page reloads without the notice
  }
  location.reload();
}

/** Note the epoch of an answer or a socket, and reload the page if it changed. */
export function seeEpoch(epoch: string | null | undefined): void {
  if (!epoch || epoch === known || isLeaving) return;
  const isFirst = known === null;
  remember(epoch);
  if (!isFirst) leave();
}

/** Follow changes that other tabs notice. Returns a function that stops this. */
export function followEpochOfTabs(): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === SHARED && known !== null) seeEpoch(newValue);
  };
  window.addEventListener("storage", onStorage);
  return () => window.removeEventListener("storage", onStorage);
}

/** Return whether this page was reloaded because the data were restored. The second call returns false. */
export function wasRestored(): boolean {
  try {
    const was = sessionStorage.getItem(RESTORED) !== null;
    sessionStorage.removeItem(RESTORED);
    return was;
  } catch {
    return false;
  }
}
