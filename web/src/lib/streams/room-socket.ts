// Keeps the socket of one room connected. partysocket reconnects; this file decides when: at once if the network or
// the tab comes back, spread over five seconds if the server restarts, else slower with each attempt. The server sends
// something every 14 s, so silence of 35 s counts as a lost connection. Close codes that mean "not you" are final.
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
  /** Return the `seq` up to which everything is known; the server sends what follows. */
  after: () => number;
  onEvent: (event: RoomEvent) => void;
  /** The connection is lost, or live again after every missed event was received. */
  onConnection: (isLive: boolean) => void;
  /** The server refused the socket for good; it is not opened again. */
  onEnd: (code: number, reason: string) => void;
  /** The server closed the socket because this client sent too much. It reconnects after a while. */
  onFlood: (reason: string) => void;
}

/** Return the milliseconds before the next attempt, after a close code and a number of failed attempts. */
export function waitBefore(code: number | null, attempts: number, random = Math.random): number {
  if (code === null) return 0;
  if (code === FLOOD) return FLOOD_MS;
  if (RESTARTING.includes(code)) return Math.max(random() * RESTART_MS, backoff(attempts, random));
  return backoff(attempts, random);
}

export class RoomSocket {
  private readonly socket: ReconnectingWebSocket;
  private readonly closing = new AbortController();
  private attempts = 0;
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
      const wait = waitBefore(this.lastCode, this.attempts++);
      if (wait > 0) await pause(wait, this.closing.signal);
      return `${base}?after=${handlers.after()}`;
    };
    this.socket = new ReconnectingWebSocket(url, null, {
      WebSocket: WebSocketClass,
      minReconnectionDelay: 0, // `url` waits
      maxReconnectionDelay: 0,
      connectionTimeout: 10_000,
      maxEnqueuedMessages: 0, // the outbox keeps unsent messages
      shouldReconnectOnClose: ({ code }) => !FINAL.includes(code),
    });
    this.socket.addEventListener("open", this.onOpen);
    this.socket.addEventListener("message", this.onMessage);
    this.socket.addEventListener("close", this.onClose);
    window.addEventListener("offline", this.onOffline);
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  /** Send a command. Returns false if the socket is not open. */
  send(command: RoomCommand): boolean {
    return this.socket.send(JSON.stringify(command));
  }

  /** Reconnect, and ask for what came after the known `seq`. */
  reconnect(): void {
    if (this.closing.signal.aborted) return;
    this.lastCode = null;
    this.socket.reconnect();
  }

  close(): void {
    this.closing.abort();
    clearTimeout(this.watchdog);
    window.removeEventListener("offline", this.onOffline);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.socket.close();
  }

  private receivedAt = 0;

  private readonly onOpen = () => {
    this.receivedAt = Date.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.checkSilence, IDLE_MS);
  };

  private readonly checkSilence = () => {
    const left = this.receivedAt + IDLE_MS - Date.now();
    if (left <= 0) this.reconnect();
    else this.watchdog = setTimeout(this.checkSilence, left);
  };

  private readonly onMessage = (message: MessageEvent) => {
    if (this.closing.signal.aborted) return;
    this.receivedAt = Date.now();
    const event: RoomEvent = JSON.parse(String(message.data));
    if (event.type === "resumed") seeEpoch(event.epoch);
    this.handlers.onEvent(event);
    if (event.type !== "resumed") return;
    this.attempts = 0;
    this.handlers.onConnection(true);
  };

  private readonly onClose = ({ code, reason }: CloseEvent) => {
    clearTimeout(this.watchdog);
    if (this.closing.signal.aborted) return;
    this.lastCode = code;
    this.handlers.onConnection(false);
    if (FINAL.includes(code)) this.handlers.onEnd(code, reason);
    else if (code === FLOOD) this.handlers.onFlood(reason);
  };

  /** Reconnect: the browser notices a dead network before the socket does. */
  private readonly onOffline = () => this.reconnect();

  /** Reconnect at once if the device slept and its connection is dead. */
  private readonly onVisibility = () => {
    if (document.visibilityState === "hidden" || !this.receivedAt) return;
    if (this.socket.readyState === this.socket.OPEN && Date.now() - this.receivedAt > IDLE_MS) {
      this.reconnect();
    }
  };
}
