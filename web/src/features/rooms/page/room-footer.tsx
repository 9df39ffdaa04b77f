// Below the timeline: what is wrong with the connection, the tutor's queue, who types, and where one writes; or why
// one cannot.
import { type ReactNode, useMemo } from "react";
import { askIdentity } from "@/lib/identity";
import { Button } from "@/ui/button";
import { useDelayed } from "@/ui/states";
import { Composer } from "../composer/composer";
import { useHere, useMembers, useOwn, useRoomHere } from "../model/room-context";
import { queueOf } from "../model/room-state";
import { typingWords } from "../model/typing";

const LOST_MS = 2_000;
const NEVER_CONNECTED_MS = 5_000;

function ConnectionBanner() {
  const connection = useRoomHere((view) => view.connection);
  const flooded = useRoomHere((view) => view.flooded);
  const isLost = useDelayed(connection === "lost", LOST_MS);
  const isLate = useDelayed(connection === "connecting", NEVER_CONNECTED_MS);
  if (!isLost && !isLate && !flooded) return null;
  if (!navigator.onLine) return null; // the shell says it
  return (
    <p role="status" className="bg-warn-bg px-4 py-1.5 text-center text-[14px] text-warn">
      {flooded
        ? `${flooded} The room is back in 20 s; your text is kept`
        : "Reconnecting… your text is kept"}
    </p>
  );
}

function Queue() {
  const state = useRoomHere((view) => view.state);
  const waiting = useMemo(() => (state ? queueOf(state) : []), [state]);
  if (waiting.length === 0) return null;
  const names = waiting.map(({ name }) => name).join(", ");
  return (
    <p className="truncate">
      {waiting.length === 1 ? "1 question waits" : `${waiting.length} questions wait`} for the
      tutor: {names}
    </p>
  );
}

/** Has its height always, so that nothing moves when somebody begins to type. */
function Line() {
  const typing = useRoomHere((view) => view.typing);
  const members = useMembers();
  const names = members.filter(({ user_id }) => (typing[user_id] ?? 0) > 0);
  return (
    <div className="mx-auto flex min-h-6 w-full gap-x-4 px-4 text-[13px] leading-6 text-dim md:pr-7 md:pl-[80px]">
      <p className="min-w-0 flex-1 truncate">{typingWords(names.map(({ name }) => name))}</p>
      <Queue />
    </div>
  );
}

function Closed({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  return (
    <div className="px-3 pb-3 md:px-7 md:pb-[18px]">
      <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg border border-line bg-panel px-3.5 py-2.5 text-[14px] text-soft">
        <p>{children}</p>
        {actions}
      </div>
    </div>
  );
}

export function Foot() {
  const { id, reopen } = useHere();
  const isSignedOut = useRoomHere((view) => view.isSignedOut);
  const isSilenced = useOwn()?.is_silenced ?? false;
  const signIn = () => {
    void askIdentity("sign-in", "Your text is kept.").then((isDone) => isDone && reopen());
  };
  if (isSignedOut) {
    return (
      <Closed
        actions={
          <span className="flex gap-2">
            <Button onClick={() => location.reload()}>Go on as a visitor</Button>
            <Button weight="primary" onClick={signIn}>
              Sign in
            </Button>
          </span>
        }
      >
        You are signed out. Your text is kept.
      </Closed>
    );
  }
  return (
    <>
      <ConnectionBanner />
      <Line />
      {isSilenced ? (
        <Closed>An admin silenced you in this room: you can read, but not write.</Closed>
      ) : (
        <Composer key={id} />
      )}
    </>
  );
}
