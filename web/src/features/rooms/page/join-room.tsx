// What one sees of a room that one is not in: its name, what it is for, how many are there, and the way in. Joining
// needs a name. Who was put out is told so; and what a room that is gone leaves behind is a text not sent.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "@/lib/api";
import { readDraft } from "@/lib/drafts";
import { askIdentity } from "@/lib/identity";
import { meQuery } from "@/lib/queries";
import { Button, buttonClass } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { Notice } from "@/ui/states";
import { refreshLists } from "../model/list-cache";
import { isNameNeeded, NAME_REASON } from "../model/name-needed";
import { useHere, useRoomHere } from "../model/room-context";
import { draftKey } from "../model/store";

function useJoin() {
  const { id, reopen } = useHere();
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
      setState({ isBusy: false, sentence: (error as Error).message });
      if (isNameNeeded(error)) void askIdentity("name", NAME_REASON);
    }
  };
  return { ...state, join };
}

const people = (count: number): string => (count === 1 ? "1 person" : `${count} people`);

export function Outside() {
  const room = useRoomHere((view) => view.room);
  const { isBusy, sentence, join } = useJoin();
  if (!room) return null;
  const all = (
    <Link to="/rooms" className={buttonClass()}>
      All rooms
    </Link>
  );
  if (room.is_removed) {
    return (
      <div className="flex-1">
        <Notice heading="h1" title={room.name} actions={all}>
          You are not in this room any more: an admin put you out.
        </Notice>
      </div>
    );
  }
  return (
    <div className="flex-1">
      <Notice
        heading="h1"
        title={room.name}
        actions={
          <>
            <Button weight="primary" disabled={isBusy} onClick={() => void join()}>
              {isBusy ? "Joining…" : "Join"}
            </Button>
            {all}
          </>
        }
      >
        {room.topic && <p>{room.topic}</p>}
        <p className="meta mt-2">{people(room.member_count)} here</p>
        <p className="mt-4 text-[14px] text-dim">
          Join to read and write. Everybody in the room sees the tutor's answers as they come.
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
  const { id, me } = useHere();
  const draft = readDraft<string>(draftKey(id, me))?.value;
  return (
    <div className="flex-1">
      <Notice
        heading="h1"
        title="There is no such room"
        actions={
          <Link to="/rooms" className={buttonClass("primary")}>
            All rooms
          </Link>
        }
      >
        It does not exist, or an admin deleted it.
        {draft && (
          <div className="mt-4 rounded-md border border-line p-3 text-left">
            <p className="text-[13px] text-dim">What you were writing there:</p>
            <p className="my-1 break-words whitespace-pre-wrap">{draft}</p>
            <CopyButton text={draft} label="Copy your text" />
          </div>
        )}
      </Notice>
    </div>
  );
}
