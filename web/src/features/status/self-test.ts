// The self-test of /status through whatever is between this browser and the server: events of a stream must arrive one
// by one, as an answer's words do, and a socket must carry messages both ways.
import { api } from "@/lib/api/client";
import { readEvents } from "@/lib/streams/sse";

export interface Verdict {
  state: "ok" | "warning" | "down";
  says: string;
}

const TICKS = 5;
/** The server sends an event every 200 ms, so five take 800 ms. A buffering proxy delivers them at once. */
const MIN_SPREAD_MS = 400;
const MAX_WAIT_MS = 10_000;
const ECHOES = 5;

/** Judge a stream by the times (ms) at which its events arrived. */
export function judgeStream(times: number[]): Verdict {
  if (times.length < TICKS) {
    return { state: "down", says: `Only ${times.length} of ${TICKS} events came.` };
  }
  const spread = (times.at(-1) ?? 0) - (times[0] ?? 0);
  if (spread < MIN_SPREAD_MS) {
    return {
      state: "warning",
      says:
        "All events came at once: a proxy between you and the server buffers, so answers do not stream. " +
        "In nginx, set proxy_buffering off.",
    };
  }
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  const longest = Math.round(Math.max(...gaps));
  return { state: "ok", says: `Events come one by one, ${longest} ms apart at most.` };
}

export function judgeSocket(trips: number[]): Verdict {
  if (trips.length < ECHOES) {
    return {
      state: "down",
      says:
        "No socket gets through: a proxy between you and the server does not pass on WebSockets, so rooms show nothing new. " +
        "In nginx, pass on the headers Upgrade and Connection with proxy_http_version 1.1.",
    };
  }
  const median = [...trips].sort((a, b) => a - b)[ECHOES >> 1] ?? 0;
  return {
    state: "ok",
    says: `Messages go there and back in ${Math.max(1, Math.round(median))} ms.`,
  };
}

export async function testStream(signal: AbortSignal): Promise<Verdict> {
  const times: number[] = [];
  try {
    const timeout = AbortSignal.timeout(MAX_WAIT_MS);
    const response = await api.testStream(AbortSignal.any([signal, timeout]));
    await readEvents(response, ({ event }) => {
      if (event === "tick") times.push(performance.now());
      return event === "done";
    });
  } catch (error) {
    if (signal.aborted) throw error;
    if (times.length === 0) {
      return {
        state: "down",
        says: error instanceof Error ? error.message : "The stream could not be opened.",
      };
    }
  }
  return judgeStream(times);
}

export function testSocket(signal: AbortSignal): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const trips: number[] = [];
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/status/socket`);
    let sentAt = 0;
    const sendEcho = () => {
      sentAt = performance.now();
      socket.send(String(trips.length));
    };
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.onclose = null;
      socket.close();
      resolve(judgeSocket(trips));
    };
    const abort = () => {
      end();
      reject(signal.reason);
    };
    const timer = setTimeout(end, MAX_WAIT_MS);
    signal.addEventListener("abort", abort);
    socket.onopen = sendEcho;
    socket.onclose = end;
    socket.onmessage = () => {
      trips.push(performance.now() - sentAt);
      if (trips.length < ECHOES) sendEcho();
      else end();
    };
  });
}
