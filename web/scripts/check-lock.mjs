// Fails when the lock file names where a package was downloaded from: the lock must work anywhere.
import { readFileSync } from "node:fs";

const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
const found = lock.split("\n").filter((line) => line.includes('"resolved"'));
if (found.length > 0) {
  console.error(`package-lock.json holds ${found.length} download addresses ("resolved").`);
  process.exit(1);
}
