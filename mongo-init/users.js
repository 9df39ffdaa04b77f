// Sets up the replica set, the roles and the users of compose.yaml. mongosh runs it before restore.js, at every `up`.
//
// | user | may |
// |---|---|
// | administrator | do everything; only this container knows its password |
// | application | read and write the product's database, and set its validators; the server signs in as this user |
// | backup | do the same, and read the oplog; change log, dump and restore sign in as this user |
//
// A mongod without users accepts a call from its own machine, to create the first one. Later calls sign in as the
// administrator, and set the roles of this file and the passwords of .env.

const { env } = process;
const MEMBER = env.MONGODB_MEMBER || "mongodb:27017";
const DATABASE = env.MONGODB_DATABASE || "tutordesk";
const ALREADY_INITIALIZED = 23;
const START_SECONDS = 60;

const ROLES = {
  tutordesk_application: {
    roles: [{ role: "readWrite", db: DATABASE }],
    privileges: [{ resource: { db: DATABASE, collection: "" }, actions: ["collMod"] }],
  },
  tutordesk_backup: {
    roles: [{ role: "readWrite", db: DATABASE }],
    privileges: [
      { resource: { db: DATABASE, collection: "" }, actions: ["collMod", "bypassDocumentValidation"] },
      { resource: { db: "local", collection: "oplog.rs" }, actions: ["find"] },
      { resource: { cluster: true }, actions: ["applyOps"] }, // each operation still needs its own right
    ],
  },
  // MongoDB requires these rights of a mongorestore that replays an oplog (restore.js).
  tutordesk_replay: { roles: [], privileges: [{ resource: { anyResource: true }, actions: ["anyAction"] }] },
};
const ADMINISTRATOR = { user: "administrator", roles: ["root"] };
const USERS = [
  { user: "application", roles: [{ role: "tutordesk_application", db: "admin" }] },
  { user: "backup", roles: [{ role: "tutordesk_backup", db: "admin" }] },
];

/** Ends the start. Its message is the sentence for the operator. */
class Refusal extends Error {}

function passwordOf(user) {
  const name = `MONGODB_${user.toUpperCase()}_PASSWORD`;
  const password = env[name] || "";
  if (!/^[A-Za-z0-9._~-]{16,}$/.test(password)) {
    throw new Refusal(`${name} must have at least 16 letters or digits; \`openssl rand -hex 24\` makes a good one.`);
  }
  return password;
}

function signIn() {
  try {
    db.getSiblingDB("admin").auth(ADMINISTRATOR.user, passwordOf(ADMINISTRATOR.user));
    return true;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return false;
  }
}

function beginReplicaSet() {
  try {
    rs.initiate({ _id: "tutordesk", members: [{ _id: 0, host: MEMBER }] });
  } catch (error) {
    if (error.codeName === "Unauthorized") {
      throw new Refusal("MONGODB_ADMINISTRATOR_PASSWORD is not the one of the first start. Set that one in .env.");
    }
    if (error.code !== ALREADY_INITIALIZED) throw error;
  }
}

function awaitPrimary() {
  const deadline = Date.now() + START_SECONDS * 1000;
  while (!db.hello().isWritablePrimary) {
    if (Date.now() > deadline) throw new Refusal(`MongoDB takes no writes after ${START_SECONDS} s. Look into its log.`);
    sleep(100);
  }
}

function makeAdministrator() {
  const admin = db.getSiblingDB("admin");
  try {
    admin.createUser({ ...ADMINISTRATOR, pwd: passwordOf(ADMINISTRATOR.user) });
  } catch (error) {
    if (error.codeName !== "Unauthorized") throw error;
    throw new Refusal("MONGODB_ADMINISTRATOR_PASSWORD is not the one of the first start. Set that one in .env.");
  }
  admin.auth(ADMINISTRATOR.user, passwordOf(ADMINISTRATOR.user));
}

function makeRolesAndUsers() {
  const admin = db.getSiblingDB("admin");
  for (const [name, role] of Object.entries(ROLES)) {
    if (admin.getRole(name)) admin.updateRole(name, role);
    else admin.createRole({ role: name, ...role });
  }
  admin.updateUser(ADMINISTRATOR.user, { roles: [...ADMINISTRATOR.roles, "tutordesk_replay"] });
  const database = db.getSiblingDB(DATABASE);
  for (const { user, roles } of USERS) {
    const change = { pwd: passwordOf(user), roles };
    if (database.getUser(user)) database.updateUser(user, change);
    else database.createUser({ user, ...change });
  }
}

/** Does `work`. On a failure, ends mongosh with a sentence and code 1. */
function orRefuse(work) {
  try {
    work();
  } catch (error) {
    process.stderr.write(`mongo-init: ${error instanceof Refusal ? error.message : error.stack}\n`);
    quit(1);
  }
}

orRefuse(() => {
  for (const { user } of [ADMINISTRATOR, ...USERS]) passwordOf(user);
  if (signIn()) awaitPrimary();
  else {
    beginReplicaSet();
    awaitPrimary();
    makeAdministrator();
  }
  makeRolesAndUsers();
  print(`mongo-init: the users of the database ${DATABASE} are ready`);
});
