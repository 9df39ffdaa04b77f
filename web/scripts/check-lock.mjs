// Fails if the lock file names the address of a download: the lock must work with any registry.
import { readFileSync } from "node:fs";

const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
const addresses = lock.split("\n").filter((line) => line.includes('"resolved"'));
if (addresses.length > 0) {
  console.error(`package-lock.json holds ${addresses.length} download addresses ("resolved").`);
  process.exit(1);
}
