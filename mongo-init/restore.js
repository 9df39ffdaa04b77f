// Restores the dumps in dumps/ at the first start, by mongorestore. mongosh runs it after users.js, and it uses names
// of that file.
//
// | in dumps/ | written by |
// |---|---|
// | `*.archive`, `*.archive.gz` | `mongodump --archive`, the latter with `--gzip` |
// | a folder | `mongodump` or `tutordesk dump`, with or without `--gzip`; mongorestore replays its oplog.bson |
//
// It checks all dumps first, and restores them in the order of their names. A failure drops all restored data and ends
// the start with a sentence. Users and settings of another server are left out.

const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const MONGORESTORE = env.MONGORESTORE || "mongorestore";
const DUMPS = env.DUMPS || "/mongo-init/dumps";
const [HOST, PORT] = (env.MONGODB_ADDRESS || "127.0.0.1:27017").split(":");
const SYSTEM_DATABASES = ["admin", "config", "local"];
const state = () => db.getSiblingDB("admin").getCollection("tutordesk_init");

/** Raises Refusal unless this container's user may read a file or folder. */
function requireReadable(where) {
  try {
    fs.accessSync(where, fs.constants.R_OK);
  } catch {
    const { uid } = require("os").userInfo();
    throw new Refusal(
      `dumps/${path.relative(DUMPS, where)} cannot be read by user ${uid}; call \`chown -R ${uid} mongo-init/dumps\`.`,
    );
  }
}

/** Returns all files below a folder. Raises Refusal for links and devices, because a dump holds none. */
function filesOf(folder, name) {
  const files = [];
  requireReadable(folder);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesOf(below, name));
    else if (entry.isFile()) files.push(below);
    else {
      throw new Refusal(`dumps/${name} holds ${entry.name}, which is a link or not a file. Remove it from the dump.`);
    }
  }
  return files;
}

/** Returns the options of mongorestore for one entry of dumps/. Raises Refusal when it is not a dump. */
function optionsOf(entry) {
  const { name } = entry;
  const where = path.join(DUMPS, name);
  const others = ["--nsExclude=admin.*", "--nsExclude=config.*"];
  if (entry.isFile() && /\.archive(\.gz)?$/.test(name)) {
    return [`--archive=${where}`, ...(name.endsWith(".gz") ? ["--gzip"] : []), ...others];
  }
  const oplog = path.join(where, "oplog.bson"); // has this name in packed dumps, too
  const files = entry.isDirectory() ? filesOf(where, name).filter((file) => file !== oplog) : [];
  const packed = files.some((file) => file.endsWith(".bson.gz"));
  if (!packed && !files.some((file) => file.endsWith(".bson"))) {
    throw new Refusal(`dumps/${name} is not a dump. Use an *.archive, an *.archive.gz or a folder of mongodump.`);
  }
  if (packed && files.some((file) => file.endsWith(".bson"))) {
    throw new Refusal(`dumps/${name} holds packed and plain files, and mongorestore takes only one kind. Dump again.`);
  }
  const gzip = packed ? ["--gzip"] : [];
  if (!fs.existsSync(oplog)) return [`--dir=${where}`, ...gzip, ...others];
  for (const other of SYSTEM_DATABASES.filter((database) => fs.existsSync(path.join(where, database)))) {
    throw new Refusal(`dumps/${name} holds ${other}/, which belongs to its server. Remove that folder from the dump first.`);
  }
  return [`--dir=${where}`, ...gzip, "--oplogReplay"];
}

/** Raises Refusal when a file is cut off or damaged, as far as a reader can see without restoring it. */
function check(entry, options) {
  const where = path.join(DUMPS, entry.name);
  const packedOplog = options.includes("--gzip") ? path.join(where, "oplog.bson") : "";
  for (const file of entry.isDirectory() ? filesOf(where, entry.name) : [where]) {
    requireReadable(file);
    const isWhole = file.endsWith(".gz") || file === packedOplog ? isWholeGzip(file) : isWholeBson(file);
    if (!isWhole) {
      throw new Refusal(`dumps/${path.relative(DUMPS, file)} is damaged. Nothing was restored; replace or remove it.`);
    }
  }
}

function isWholeGzip(file) {
  const opened = fs.openSync(file);
  try {
    return spawnSync("gzip", ["-t"], { stdio: [opened, "ignore", "ignore"] }).status === 0;
  } finally {
    fs.closeSync(opened);
  }
}

/** Returns whether a plain .bson file holds whole documents up to its end. True for all other files. */
function isWholeBson(file) {
  if (!file.endsWith(".bson")) return true;
  const opened = fs.openSync(file);
  try {
    const { size } = fs.fstatSync(opened);
    const length = Buffer.alloc(4);
    const last = Buffer.alloc(1);
    let at = 0;
    while (at < size) {
      if (fs.readSync(opened, length, 0, 4, at) < 4 || length.readInt32LE(0) < 5) return false;
      at += length.readInt32LE(0);
      if (fs.readSync(opened, last, 0, 1, at - 1) < 1 || last[0] !== 0) return false;
    }
    return true;
  } finally {
    fs.closeSync(opened);
  }
}

function productDatabases() {
  const { databases } = db.getSiblingDB("admin").runCommand({ listDatabases: 1, nameOnly: true });
  return databases.map((database) => database.name).filter((name) => !SYSTEM_DATABASES.includes(name));
}

function dropRestored() {
  for (const name of productDatabases()) db.getSiblingDB(name).dropDatabase();
  state().deleteOne({ _id: "restore" });
}

/** Restores the dumps. mongorestore gets the password in a private file, because others can read a command line. */
function restore(dumps) {
  const folder = fs.mkdtempSync(path.join(require("os").tmpdir(), "mongo-init-"));
  try {
    const config = path.join(folder, "config");
    fs.writeFileSync(config, `password: "${passwordOf(ADMINISTRATOR.user)}"\n`, { mode: 0o600 });
    const signIn = [`--config=${config}`, `--username=${ADMINISTRATOR.user}`, "--authenticationDatabase=admin"];
    for (const { name, options } of dumps) {
      print(`mongo-init: restoring dumps/${name}`);
      const arguments_ = [...signIn, `--host=${HOST}`, `--port=${PORT}`, "--stopOnError", ...options];
      const result = spawnSync(MONGORESTORE, arguments_, { stdio: ["ignore", "inherit", "inherit"] });
      if (result.status !== 0) {
        const { error } = result;
        const why = error ? `mongorestore cannot run (${error.code})` : "mongorestore refuses it, see above";
        throw new Refusal(`dumps/${name} cannot be restored: ${why}. All restored data are dropped.`);
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

orRefuse(() => {
  requireReadable(DUMPS);
  const entries = fs.readdirSync(DUMPS, { withFileTypes: true });
  const dumpEntries = entries.filter((entry) => !entry.name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
  const earlier = state().findOne({ _id: "restore" });
  if (earlier && !earlier.ended_at) {
    print("mongo-init: an earlier restore was interrupted; its data are dropped");
    dropRestored();
  }
  if (dumpEntries.length === 0) return;
  if (productDatabases().length > 0) {
    print("mongo-init: dumps/ is ignored, because the database has data already; `tutordesk restore` replaces them");
    return;
  }
  const dumps = dumpEntries.map((entry) => ({ name: entry.name, options: optionsOf(entry) }));
  for (const [index, entry] of dumpEntries.entries()) check(entry, dumps[index].options);
  const names = dumps.map((dump) => dump.name);
  state().replaceOne({ _id: "restore" }, { began_at: new Date(), dumps: names }, { upsert: true });
  try {
    restore(dumps);
  } catch (error) {
    dropRestored();
    throw error;
  }
  state().updateOne({ _id: "restore" }, { $set: { ended_at: new Date() } });
  print(`mongo-init: ${dumps.length} dumps restored`);
});
