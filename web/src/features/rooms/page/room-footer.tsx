// Below the timeline: the state of the connection, the tutor's queue, who types, and the composer or the reason why
// the user cannot write.
import { type ReactNode, useMemo } from "react";
import { askIdentity } from "@/lib/browser/identity";
import { Button } from "@/ui/button";
import { useDelayed } from "@/ui/states";
import { Composer } from "../composer/composer";
import { useCurrentRoom, useMembers, useMyMembership, useRoomContext } from "../model/room-context";
import { waitingQuestions } from "../model/room-state";
import { typingWords } from "../model/typing";

const LOST_MS = 2_000;
const NEVER_CONNECTED_MS = 5_000;

function ConnectionBanner() {
  const connection = useCurrentRoom((view) => view.connection);
  const floodReason = useCurrentRoom((view) => view.floodReason);
  const isLost = useDelayed(connection === "lost", LOST_MS);
  const isLate = useDelayed(connection === "connecting", NEVER_CONNECTED_MS);
  if (!isLost && !isLate && !floodReason) return null;
  if (!navigator.onLine) return null; // the shell shows its own banner
  return (
    <p role="status" className="bg-warn-bg px-4 py-1.5 text-center text-[14px] text-warn">
      {floodReason
        ? `${floodReason} The room reconnects in 20 s. Your text is saved.`
        : "Reconnecting… Your text is saved."}
    </p>
  );
}

function Queue() {
  const state = useCurrentRoom((view) => view.state);
  const waiting = useMemo(() => (state ? waitingQuestions(state) : []), [state]);
  if (waiting.length === 0) return null;
  const names = waiting.map(({ name }) => name).join(", ");
  return (
    <p className="truncate">
      {waiting.length === 1 ? "1 question is" : `${waiting.length} questions are`} waiting for the
      tutor: {names}
    </p>
  );
}

/** Always has the same height, so that nothing moves when somebody begins to type. */
function ActivityLine() {
  const typing = useCurrentRoom((view) => view.typing);
  const members = useMembers();
  const typists = members.filter(({ user_id }) => (typing[user_id] ?? 0) > 0);
  return (
    <div className="mx-auto flex min-h-6 w-full gap-x-4 px-4 text-[13px] leading-6 text-dim md:pe-7 md:ps-[80px]">
      <p className="min-w-0 flex-1 truncate">{typingWords(typists.map(({ name }) => name))}</p>
      <Queue />
    </div>
  );
}

function CannotWrite({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  return (
    <div className="px-3 pb-3 md:px-7 md:pb-[18px]">
      <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg border border-line bg-panel px-3.5 py-2.5 text-[14px] text-soft">
        <p>{children}</p>
        {actions}
      </div>
    </div>
  );
}

export function RoomFooter() {
  const { id, reopen } = useRoomContext();
  const isSignedOut = useCurrentRoom((view) => view.isSignedOut);
  const isSilenced = useMyMembership()?.is_silenced ?? false;
  const signIn = () => {
    void askIdentity("sign-in", "Your text is kept.").then((isDone) => isDone && reopen());
  };
  if (isSignedOut) {
    return (
      <CannotWrite
        actions={
          <span className="flex gap-2">
            <Button onClick={() => location.reload()}>Continue as a visitor</Button>
            <Button weight="primary" onClick={signIn}>
              Sign in
            </Button>
          </span>
        }
      >
        You are signed out. Your text is kept.
      </CannotWrite>
    );
  }
  return (
    <>
      <ConnectionBanner />
      <ActivityLine />
      {isSilenced ? (
        <CannotWrite>An admin silenced you in this room. You can read but not write.</CannotWrite>
      ) : (
        <Composer key={id} />
      )}
    </>
  );
}
