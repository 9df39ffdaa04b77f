// A room as non-members see it: name, topic, size and Join. Joining needs a name. A removed member sees why they
// cannot join. The page of a missing room shows the unsent draft.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import { meQuery } from "@/lib/api/queries";
import { askIdentity } from "@/lib/browser/identity";
import { readDraft } from "@/lib/drafts/drafts";
import { Button, buttonClass } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Notice } from "@/ui/states";
import { refreshLists } from "../model/list-cache";
import { isNameNeeded, NAME_REASON } from "../model/name-needed";
import { useCurrentRoom, useRoomContext } from "../model/room-context";
import { draftKey } from "../model/store";

function useJoin() {
  const { id, reopen } = useRoomContext();
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [state, setState] = useState({ isBusy: false, sentence: "" });
  const join = async () => {
    if (!me?.name && !(await askIdentity("name", NAME_REASON))) return;
    setState({ isBusy: true, sentence: "" });
    try {
      await api.joinRoom(id);
      refreshLists(client);
      reopen();
    } catch (error) {
      setState({ isBusy: false, sentence: sentenceOf(error) });
      if (isNameNeeded(error)) void askIdentity("name", NAME_REASON);
    }
  };
  return { ...state, join };
}

const people = (count: number): string => (count === 1 ? "1 person" : `${count} people`);

export function JoinRoom() {
  const room = useCurrentRoom((view) => view.room);
  const { isBusy, sentence, join } = useJoin();
  if (!room) return null;
  const allRooms = (
    <Link to="/rooms" className={buttonClass()}>
      All rooms
    </Link>
  );
  if (room.is_removed) {
    return (
      <div className="scroller min-w-0 flex-1">
        <Notice heading="h1" title={room.name} actions={allRooms}>
          An admin removed you from this room.
        </Notice>
      </div>
    );
  }
  return (
    <div className="scroller min-w-0 flex-1">
      <Notice
        heading="h1"
        title={room.name}
        actions={
          <>
            <Button weight="primary" disabled={isBusy} onClick={() => void join()}>
              {isBusy ? "Joining…" : "Join"}
            </Button>
            {allRooms}
          </>
        }
      >
        {room.topic && <p dir="auto">{room.topic}</p>}
        <p className="meta mt-2">{people(room.member_count)}</p>
        <p className="mt-4 text-[14px] text-dim">
          Join to read and write. Everybody in the room sees the tutor's answers as they are
          written.
        </p>
        {sentence && (
          <p role="alert" className="mt-3 text-danger">
            {sentence}
          </p>
        )}
      </Notice>
    </div>
  );
}

export function MissingRoom() {
  const { id, me } = useRoomContext();
  const draft = readDraft<string>(draftKey(id, me))?.value;
  return (
    <div className="scroller min-w-0 flex-1">
      <Notice
        heading="h1"
        title="Room not found"
        actions={
          <Link to="/rooms" className={buttonClass("primary")}>
            All rooms
          </Link>
        }
      >
        It does not exist, or an admin deleted it. Check the address, or look in the list of rooms.
        {draft && (
          <div className="mt-4 rounded-md border border-line p-3 text-start">
            <p className="text-[13px] text-dim">Your unsent message:</p>
            <p className="my-1 break-words whitespace-pre-wrap">{draft}</p>
            <CopyButton text={draft} label="Copy your text" />
          </div>
        )}
      </Notice>
    </div>
  );
}
