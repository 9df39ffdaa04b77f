// Whether the server refused the last write because its disk is full (507): the shell says so until one is taken again.
import { create } from "zustand";

const FULL = 507;
const useStore = create(() => ({ isReadOnly: false }));

/** Called with the answer to each request that writes. */
export function seeWrite(status: number): void {
  const isReadOnly = status === FULL;
  if (isReadOnly || status < 400) useStore.setState({ isReadOnly });
}

export const useReadOnly = (): boolean => useStore((state) => state.isReadOnly);
