// One connection to the server for all tabs of a browser, which allows only six: the tab that holds a lock
// (Web Locks) reads and passes on what it hears (BroadcastChannel); when it closes or lets go, another takes
// over. Where the browser withholds locks (plain HTTP from another machine) each tab reads for itself.

interface LeadOptions {
  /** Ends the waiting and the reading. */
  signal: AbortSignal;
  /** Takes the lock from whichever tab has it: for a stream that this tab has open already. */
  claim?: boolean;
}

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

/** Runs `read` while holding the lock. Null when it is not to be had at once and that was asked for. */
async function hold<Result>(
  locks: LockManager,
  name: string,
  options: LockOptions,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<Result>,
): Promise<{ result: Result } | null> {
  if (signal.aborted) throw new DOMException("aborted", "AbortError");
  const own = new AbortController();
  const abort = () => own.abort();
  signal.addEventListener("abort", abort);
  try {
    return await locks.request(name, options, async (lock) =>
      lock ? { result: await read(own.signal) } : null,
    );
  } catch (error) {
    if (isAbort(error)) own.abort(); // also when another tab claims the lock while this one reads
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export class SharedStream<Message> {
  private readonly channel: BroadcastChannel | null;

  /** `onMessage`: what other tabs post, in their order. Call `close` in the end. */
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

  /** To the other tabs only. */
  post(message: Message): void {
    this.channel?.postMessage(message);
  }

  /**
   * Waits until no other tab reads, then calls `read` with a signal and whether another one read before.
   * Resolves with its result; rejects with its error, and with an AbortError when the signal ends or
   * another tab claims the stream.
   */
  async lead<Result>(
    read: (signal: AbortSignal, waited: boolean) => Promise<Result>,
    { signal, claim = false }: LeadOptions,
  ): Promise<Result> {
    const { locks } = navigator;
    if (!this.channel) return read(signal, false);
    const atOnce: LockOptions = claim ? { steal: true } : { ifAvailable: true };
    const first = await hold(locks, this.name, atOnce, signal, (own) => read(own, false));
    if (first) return first.result;
    const later = await hold(locks, this.name, { signal }, signal, (own) => read(own, true));
    if (!later) throw new Error("a lock that is waited for comes");
    return later.result;
  }

  close(): void {
    if (this.channel) this.channel.onmessage = null;
    this.channel?.close();
  }
}
