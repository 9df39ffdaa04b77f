// The socket of one room. partysocket connects again; when, is said here: at once when the network or the tab
// comes back, spread over five seconds when the server restarts, else slower from try to try. Silence of 35 s
// counts as a lost connection, for the server speaks every 14 s. Close codes that mean "not you" are final.
import ReconnectingWebSocket, { type CloseEvent } from "partysocket/ws";
import { seeEpoch } from "../api/epoch";
import type { RoomCommand, RoomEvent } from "../api/types";
import { backoff, IDLE_MS, pause } from "./sse";

export const NO_IDENTITY = 4401;
export const NOT_A_MEMBER = 4403;
export const NO_SUCH_ROOM = 4404;
const FLOOD = 4429;
const RESTARTING = [1012, 1013];
const FINAL = [NO_IDENTITY, NOT_A_MEMBER, NO_SUCH_ROOM];
const FLOOD_MS = 20_000;
const RESTART_MS = 5_000;

export interface RoomSocketHandlers {
  /** The `seq` up to which everything is known: what follows is to be told. */
  after: () => number;
  onEvent: (event: RoomEvent) => void;
  /** Lost, or back: everything up to now was told. */
  onConnection: (isLive: boolean) => void;
  /** The server does not want us there; nothing is tried again. */
  onEnd: (code: number, reason: string) => void;
  /** Too much at once from here, and what: it is tried again after a while. */
  onFlood: (reason: string) => void;
}

/** Milliseconds before the next try, after a close code and some tries that failed. */
export function waitBefore(code: number | null, tries: number, random = Math.random): number {
  if (code === null) return 0;
  if (code === FLOOD) return FLOOD_MS;
  if (RESTARTING.includes(code)) return Math.max(random() * RESTART_MS, backoff(tries, random));
  return backoff(tries, random);
}

export class RoomSocket {
  private readonly socket: ReconnectingWebSocket;
  private readonly gone = new AbortController();
  private tries = 0;
  private lastCode: number | null = null;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(
    roomId: string,
    private readonly handlers: RoomSocketHandlers,
    // biome-ignore lint/suspicious/noExplicitAny: partysocket's own type for a class of sockets
    WebSocketClass?: any,
  ) {
    const base = `${location.origin.replace(/^http/, "ws")}/rooms/${encodeURIComponent(roomId)}/socket`;
    const url = async () => {
      const wait = waitBefore(this.lastCode, this.tries++);
      if (wait > 0) await pause(wait, this.gone.signal);
      return `${base}?after=${handlers.after()}`;
    };
    this.socket = new ReconnectingWebSocket(url, null, {
      WebSocket: WebSocketClass,
      minReconnectionDelay: 0, // `url` waits
      maxReconnectionDelay: 0,
      connectionTimeout: 10_000,
      maxEnqueuedMessages: 0, // the outbox keeps what is to be sent
      shouldReconnectOnClose: ({ code }) => !FINAL.includes(code),
    });
    this.socket.addEventListener("open", this.listen);
    this.socket.addEventListener("message", this.hear);
    this.socket.addEventListener("close", this.closed);
    window.addEventListener("offline", this.lose);
    document.addEventListener("visibilitychange", this.look);
  }

  /** False when it could not be sent now. */
  send(command: RoomCommand): boolean {
    return this.socket.send(JSON.stringify(command));
  }

  /** Connects anew, asking for what came after the known `seq`. */
  reconnect(): void {
    if (this.gone.signal.aborted) return;
    this.lastCode = null;
    this.socket.reconnect();
  }

  close(): void {
    this.gone.abort();
    clearTimeout(this.watchdog);
    window.removeEventListener("offline", this.lose);
    document.removeEventListener("visibilitychange", this.look);
    this.socket.close();
  }

  private heardAt = 0;

  private readonly listen = () => {
    this.heardAt = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.check, IDLE_MS);
  };

  private readonly check = () => {
    const left = this.heardAt + IDLE_MS - Date.now();
    if (left <= 0) this.reconnect();
    else this.watchdog = setTimeout(this.check, left);
  };

  private readonly hear = (message: MessageEvent) => {
    if (this.gone.signal.aborted) return;
    this.heardAt = Date.now();
    const event: RoomEvent = JSON.parse(String(message.data));
    if (event.type === "resumed") seeEpoch(event.epoch);
    this.handlers.onEvent(event);
    if (event.type !== "resumed") return;
    this.tries = 0;
    this.handlers.onConnection(true);
  };

  private readonly closed = ({ code, reason }: CloseEvent) => {
    clearTimeout(this.watchdog);
    if (this.gone.signal.aborted) return;
    this.lastCode = code;
    this.handlers.onConnection(false);
    if (FINAL.includes(code)) this.handlers.onEnd(code, reason);
    else if (code === FLOOD) this.handlers.onFlood(reason);
  };

  /** The browser knows of a dead network before the socket does. */
  private readonly lose = () => this.reconnect();

  /** A device that slept may hold a dead connection: look at once. */
  private readonly look = () => {
    if (document.visibilityState === "hidden" || !this.heardAt) return;
    if (this.socket.readyState === this.socket.OPEN && Date.now() - this.heardAt > IDLE_MS) {
      this.reconnect();
    }
  };
}
