// Knows whether the server refused the last write because its disk is full (507). The shell shows it until a write
// succeeds.
import { create } from "zustand";

const FULL = 507;
const useStore = create(() => ({ isReadOnly: false }));

/** Note the status of the answer to a request that writes. */
export function seeWrite(status: number): void {
  const isReadOnly = status === FULL;
  if (isReadOnly || status < 400) useStore.setState({ isReadOnly });
}

export const useReadOnly = (): boolean => useStore((state) => state.isReadOnly);
