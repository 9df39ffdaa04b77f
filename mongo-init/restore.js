// Restores what lies in dumps/ at the first start, by mongorestore. Run by mongosh after users.js, whose names it uses.
//
// | in dumps/ | is |
// |---|---|
// | `*.archive`, `*.archive.gz` | what `mongodump --archive` writes, with `--gzip` |
// | a folder | what `mongodump` or `tutordesk dump` writes, with `--gzip` too; with an oplog.bson, that is replayed |
//
// Several are restored in the order of their names. All are looked through first; whatever fails drops what was
// restored, and ends the start with a sentence. Users and settings of another server are left out.

const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const MONGORESTORE = env.MONGORESTORE || "mongorestore";
const DUMPS = env.DUMPS || "/mongo-init/dumps";
const [HOST, PORT] = (env.MONGODB_ADDRESS || "127.0.0.1:27017").split(":");
const OF_MONGODB = ["admin", "config", "local"];
const state = () => db.getSiblingDB("admin").getCollection("tutordesk_init");

/** Raises Refusal unless this container's user may read a file or folder. */
function mayRead(where) {
  try {
    fs.accessSync(where, fs.constants.R_OK);
  } catch {
    const { uid } = require("os").userInfo();
    throw new Refusal(
      `dumps/${path.relative(DUMPS, where)} cannot be read by user ${uid}; \`chown -R ${uid}\` what lies in mongo-init/dumps.`,
    );
  }
}

/** All files below a folder. Raises Refusal for links and the like: a dump holds none. */
function filesOf(folder, name) {
  const found = [];
  mayRead(folder);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesOf(below, name));
    else if (entry.isFile()) found.push(below);
    else throw new Refusal(`dumps/${name} holds ${entry.name}, which is a link or no file; a dump holds none.`);
  }
  return found;
}

/** The options of mongorestore for one entry of dumps/. Raises Refusal when it is no dump. */
function optionsOf(entry) {
  const { name } = entry;
  const where = path.join(DUMPS, name);
  const others = ["--nsExclude=admin.*", "--nsExclude=config.*"];
  if (entry.isFile() && /\.archive(\.gz)?$/.test(name)) {
    return [`--archive=${where}`, ...(name.endsWith(".gz") ? ["--gzip"] : []), ...others];
  }
  const oplog = path.join(where, "oplog.bson"); // named so when it is packed, too
  const files = entry.isDirectory() ? filesOf(where, name).filter((file) => file !== oplog) : [];
  const packed = files.some((file) => file.endsWith(".bson.gz"));
  if (!packed && !files.some((file) => file.endsWith(".bson"))) {
    throw new Refusal(`dumps/${name} is no dump: neither an *.archive, an *.archive.gz nor a folder of mongodump.`);
  }
  if (packed && files.some((file) => file.endsWith(".bson"))) {
    throw new Refusal(`dumps/${name} holds packed and plain files; mongorestore takes either.`);
  }
  const gzip = packed ? ["--gzip"] : [];
  if (!fs.existsSync(oplog)) return [`--dir=${where}`, ...gzip, ...others];
  for (const other of OF_MONGODB.filter((one) => fs.existsSync(path.join(where, one)))) {
    throw new Refusal(`dumps/${name} holds ${other}/, which is its server's own; remove that folder from the dump first.`);
  }
  return [`--dir=${where}`, ...gzip, "--oplogReplay"];
}

/** Raises Refusal when a file is cut off or damaged, as far as that can be seen without restoring it. */
function check(entry, options) {
  const where = path.join(DUMPS, entry.name);
  const packedOplog = options.includes("--gzip") ? path.join(where, "oplog.bson") : "";
  for (const file of entry.isDirectory() ? filesOf(where, entry.name) : [where]) {
    mayRead(file);
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

/** Whether a plain .bson file is documents from its first byte to its last. True for all other files. */
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

function ownDatabases() {
  const { databases } = db.getSiblingDB("admin").runCommand({ listDatabases: 1, nameOnly: true });
  return databases.map((one) => one.name).filter((name) => !OF_MONGODB.includes(name));
}

function dropHalf() {
  for (const name of ownDatabases()) db.getSiblingDB(name).dropDatabase();
  state().deleteOne({ _id: "restore" });
}

/** The password goes to mongorestore by a private file: a command line can be read by others. */
function restore(dumps) {
  const folder = fs.mkdtempSync(path.join(require("os").tmpdir(), "mongo-init-"));
  try {
    const config = path.join(folder, "config");
    fs.writeFileSync(config, `password: "${passwordOf(ADMINISTRATOR.user)}"\n`, { mode: 0o600 });
    const sign = [`--config=${config}`, `--username=${ADMINISTRATOR.user}`, "--authenticationDatabase=admin"];
    for (const { name, options } of dumps) {
      print(`mongo-init: restoring dumps/${name}`);
      const own = [...sign, `--host=${HOST}`, `--port=${PORT}`, "--stopOnError", ...options];
      const ended = spawnSync(MONGORESTORE, own, { stdio: ["ignore", "inherit", "inherit"] });
      if (ended.status !== 0) {
        const why = ended.error ? `mongorestore cannot be run (${ended.error.code})` : "mongorestore refuses it, see above";
        throw new Refusal(`dumps/${name} cannot be restored: ${why}. What was restored so far is dropped again.`);
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

orRefuse(() => {
  mayRead(DUMPS);
  const entries = fs.readdirSync(DUMPS, { withFileTypes: true });
  const meant = entries.filter((entry) => !entry.name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
  const earlier = state().findOne({ _id: "restore" });
  if (earlier && !earlier.ended_at) {
    print("mongo-init: an earlier restore broke off; what it left is dropped");
    dropHalf();
  }
  if (meant.length === 0) return;
  if (ownDatabases().length > 0) {
    print("mongo-init: dumps/ is left alone, because there are data already; `tutordesk restore` replaces them");
    return;
  }
  const dumps = meant.map((entry) => ({ name: entry.name, options: optionsOf(entry) }));
  for (const [index, entry] of meant.entries()) check(entry, dumps[index].options);
  state().replaceOne({ _id: "restore" }, { began_at: new Date(), dumps: dumps.map((one) => one.name) }, { upsert: true });
  try {
    restore(dumps);
  } catch (error) {
    dropHalf();
    throw error;
  }
  state().updateOne({ _id: "restore" }, { $set: { ended_at: new Date() } });
  print(`mongo-init: ${dumps.length} dumps restored`);
});
