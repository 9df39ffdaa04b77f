// Shares one connection to the server between the tabs of a browser, which allows only six. The tab that holds a lock
// (Web Locks) reads and passes events on (BroadcastChannel). When it closes or stops, another tab takes over. Over plain
// HTTP from another machine browsers withhold locks; then each tab reads for itself.

interface LeadOptions {
  /** Ends waiting and reading. */
  signal: AbortSignal;
  /** Take the lock from the tab that has it, for a stream that this tab has open already. */
  claim?: boolean;
}

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

/** Run `read` while holding the lock. Returns null if `ifAvailable` is set and another tab holds it. */
async function hold<Result>(
  locks: LockManager,
  name: string,
  options: LockOptions,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<Result>,
): Promise<{ result: Result } | null> {
  if (signal.aborted) throw new DOMException("aborted", "AbortError");
  const leading = new AbortController();
  const abort = () => leading.abort();
  signal.addEventListener("abort", abort);
  try {
    return await locks.request(name, options, async (lock) =>
      lock ? { result: await read(leading.signal) } : null,
    );
  } catch (error) {
    if (isAbort(error)) leading.abort(); // also when another tab claims the lock while this one reads
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export class SharedStream<Message> {
  private readonly channel: BroadcastChannel | null;

  /** `onMessage` receives what other tabs post, in their order. Call `close` when done. */
  constructor(
    private readonly name: string,
    onMessage: (message: Message) => void,
  ) {
    const shared = navigator.locks && typeof BroadcastChannel === "function";
    this.channel = shared ? new BroadcastChannel(name) : null;
    if (this.channel) {
      this.channel.onmessage = ({ data }: MessageEvent<Message>) => onMessage(data);
    }
  }

  /** Send a message to the other tabs. */
  post(message: Message): void {
    this.channel?.postMessage(message);
  }

  /**
   * Wait until no other tab reads, then call `read` with a signal and whether this tab had to wait.
   * Returns its result. Raises its error, and AbortError if the signal ends or another tab claims the stream.
   */
  async lead<Result>(
    read: (signal: AbortSignal, hasWaited: boolean) => Promise<Result>,
    { signal, claim = false }: LeadOptions,
  ): Promise<Result> {
    const { locks } = navigator;
    if (!this.channel) return read(signal, false);
    const immediate: LockOptions = claim ? { steal: true } : { ifAvailable: true };
    const first = await hold(locks, this.name, immediate, signal, (leading) =>
      read(leading, false),
    );
    if (first) return first.result;
    const later = await hold(locks, this.name, { signal }, signal, (leading) =>
      read(leading, true),
    );
    if (!later) throw new Error("a lock without ifAvailable is always granted");
    return later.result;
  }

  close(): void {
    if (this.channel) this.channel.onmessage = null;
    this.channel?.close();
  }
}
