// The data's epoch, which each answer names: another one than before says that the database was restored, and that
// what this tab remembers (lists, chats, numbers to go on from) is of other data. The page is then loaded anew, which
// drops all of it; drafts and what waits to be sent lie in the browser's storage and stay.
const SHARED = "tutordesk.epoch";
const RESTORED = "tutordesk.restored";

let known: string | null = null;
let isLeaving = false;

function remember(epoch: string): void {
  known = epoch;
  try {
    localStorage.setItem(SHARED, epoch); // the other tabs hear of it
  } catch {
    // storage is switched off: each tab finds out by itself
  }
}

function leave(): void {
  isLeaving = true;
  try {
    sessionStorage.setItem(RESTORED, "1");
  } catch {
    // storage is switched off: the page comes without the notice
  }
  location.reload();
}

/** Called with the epoch of each answer and socket; `null` where there is none. */
export function seeEpoch(epoch: string | null | undefined): void {
  if (!epoch || epoch === known || isLeaving) return;
  const isFirst = known === null;
  remember(epoch);
  if (!isFirst) leave();
}

/** Hears of it from other tabs. Gives a function that ends this. */
export function followEpochOfTabs(): () => void {
  const hear = ({ key, newValue }: StorageEvent) => {
    if (key === SHARED && known !== null) seeEpoch(newValue);
  };
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}

/** Whether this page was loaded anew because the data were restored. True once. */
export function wasRestored(): boolean {
  try {
    const was = sessionStorage.getItem(RESTORED) !== null;
    sessionStorage.removeItem(RESTORED);
    return was;
  } catch {
    return false;
  }
}
