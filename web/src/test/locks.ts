// Stands in for Web Locks, which unit tests lack: exclusive locks with `ifAvailable`, `steal` and `signal`, as in the
// standard.
interface Holder {
  released: () => void;
  broken: (error: unknown) => void;
}

const aborted = () => new DOMException("aborted", "AbortError");

export class FakeLocks {
  private readonly held = new Map<string, Holder>();
  private readonly waiting = new Map<string, (() => void)[]>();

  request(
    name: string,
    options: LockOptions,
    callback: (lock: Lock | null) => Promise<unknown>,
  ): Promise<unknown> {
    if (options.ifAvailable && this.held.has(name)) return callback(null);
    return new Promise((resolve, reject) => {
      const grant = () => {
        const holder: Holder = { released: () => this.release(name, holder), broken: reject };
        this.held.set(name, holder);
        callback({ name, mode: "exclusive" }).then(resolve, reject).finally(holder.released);
      };
      if (options.steal) {
        this.held.get(name)?.broken(aborted());
        grant();
      } else if (!this.held.has(name)) {
        grant();
      } else {
        const queue = this.waiting.get(name) ?? [];
        this.waiting.set(name, [...queue, grant]);
        options.signal?.addEventListener("abort", () => {
          const rest = this.waiting.get(name) ?? [];
          this.waiting.set(
            name,
            rest.filter((waiting) => waiting !== grant),
          );
          reject(aborted());
        });
      }
    });
  }

  private release(name: string, holder: Holder): void {
    if (this.held.get(name) !== holder) return; // stolen since
    this.held.delete(name);
    const [next, ...rest] = this.waiting.get(name) ?? [];
    this.waiting.set(name, rest);
    next?.();
  }
}
