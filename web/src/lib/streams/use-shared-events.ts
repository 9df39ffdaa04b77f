// A stream of server events that serves all tabs of a browser: a visible tab reads it and passes events on. The server
// keeps no events, so a client that connects reads again what it read before.
import { useEffect } from "react";
import { isAbort, SharedStream } from "./shared-stream";
import { backoff, pause, readEvents, type ServerEvent } from "./sse";

export type SharedEvent = Pick<ServerEvent, "event" | "data">;

/** Read the stream until aborted, and reconnect when it breaks. Calls `onOpen` on each connection. */
async function followEvents(
  open: (signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: SharedEvent) => void,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const response = await open(signal);
      attempt = 0;
      onOpen();
      await readEvents(response, ({ event, data }) => {
        onEvent({ event, data });
        return undefined;
      });
    } catch (error) {
      if (isAbort(error)) return;
    }
    await pause(backoff(attempt + 1), signal).catch(() => undefined);
  }
}

/**
 * Follow the stream while this component is mounted and its tab is visible. `onConnect` is called when events may have
 * been missed. An empty `name` follows nothing. The functions must stay the same between renders.
 */
export function useSharedEvents(
  name: string,
  open: (signal: AbortSignal) => Promise<Response>,
  onConnect: () => void,
  onEvent: (event: SharedEvent) => void,
): void {
  useEffect(() => {
    if (!name) return;
    const shared = new SharedStream<SharedEvent>(name, (event) => {
      if (event.event === "connected") onConnect();
      else onEvent(event);
    });
    let reading: AbortController | null = null;
    const read = (signal: AbortSignal) => {
      const onOpen = () => {
        onConnect();
        shared.post({ event: "connected", data: "" });
      };
      const onRead = (event: SharedEvent) => {
        onEvent(event);
        shared.post(event);
      };
      return followEvents(open, signal, onOpen, onRead);
    };
    const start = () => {
      if (reading || document.visibilityState === "hidden") return;
      reading = new AbortController();
      shared.lead(read, { signal: reading.signal }).catch((error: unknown) => {
        if (!isAbort(error)) throw error;
      });
    };
    const onVisibility = () => {
      if (document.visibilityState === "hidden") {
        reading?.abort();
        reading = null;
      } else {
        if (!reading) onConnect();
        start();
      }
    };
    start();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      reading?.abort();
      shared.close();
    };
  }, [name, open, onConnect, onEvent]);
}
