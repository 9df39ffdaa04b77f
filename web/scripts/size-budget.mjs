// Measures the build against its budget, in kilobytes after gzip: the first load of each page (the entry, the page and
// their imports), the style sheet, and each lazy chunk. Fails if one is over its limit.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMITS = {
  script: { "tickets-page": 125, "rooms-page": 125 },
  otherPage: 140,
  css: 12,
  lazy: 90,
};
const dist = new URL("../../api/tutordesk/web/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length / 1024;

function withImports(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const child of manifest[key].imports ?? []) withImports(child, seen);
  return seen;
}

const rows = [];
const entry = "index.html";
const total = (keys, kind) => {
  const files = new Set();
  for (const key of keys) {
    if (kind === "script") files.add(manifest[key].file);
    else for (const file of manifest[key].css ?? []) files.add(file);
  }
  return [...files].reduce((sum, file) => sum + size(file), 0);
};

const nameOf = (page) => page.split("/").at(-1).replace(".tsx", "");
const pages = Object.keys(manifest).filter((key) => /\/(?:[a-z]+-)*page\.tsx$/.test(key));
for (const page of pages) {
  const keys = new Set([...withImports(entry), ...withImports(page)]);
  const label = page.replace("src/features/", "").replace(".tsx", "");
  rows.push([
    `first load, ${label}`,
    total(keys, "script"),
    LIMITS.script[nameOf(page)] ?? LIMITS.otherPage,
  ]);
  rows.push([`style sheet, ${label}`, total(keys, "css"), LIMITS.css]);
}
const eager = new Set([entry, ...pages].flatMap((key) => [...withImports(key)]));
for (const [key, chunk] of Object.entries(manifest)) {
  if (!eager.has(key) && chunk.file.endsWith(".js")) {
    rows.push([`lazy, ${key.split("/").at(-1)}`, size(chunk.file), LIMITS.lazy]);
  }
}

// A page that was renamed must lose neither its row nor its limit.
const names = pages.map(nameOf);
let failed = pages.length < 8 || !Object.keys(LIMITS.script).every((name) => names.includes(name));
for (const [name, kilobytes, limit] of rows) {
  const over = kilobytes > limit;
  failed ||= over;
  const figure = kilobytes.toFixed(1).padStart(6);
  console.log(`${over ? "OVER " : "ok   "}${figure} of ${limit} kB  ${name}`);
}
if (failed) process.exit(1);
