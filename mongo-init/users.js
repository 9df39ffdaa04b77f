// The replica set, the roles and the users of compose.yaml. Run by mongosh before restore.js, at every `up`.
//
// | user | may |
// |---|---|
// | administrator | everything; only this container knows its password |
// | application | read and write the product's one database, and set its validators: what the server signs in as |
// | backup | the same, and read the oplog: change log, dump, restore |
//
// A mongod without users lets in whoever speaks from its own machine, to make the first one. Later calls sign in as the
// administrator, and set roles and passwords to what is written here and in .env.

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
  // What MongoDB asks for where mongorestore replays an oplog (restore.js).
  tutordesk_replay: { roles: [], privileges: [{ resource: { anyResource: true }, actions: ["anyAction"] }] },
};
const ADMINISTRATOR = { user: "administrator", roles: ["root"] };
const USERS = [
  { user: "application", roles: [{ role: "tutordesk_application", db: "admin" }] },
  { user: "backup", roles: [{ role: "tutordesk_backup", db: "admin" }] },
];

/** What ends the start; its message is the sentence that is shown. */
class Refusal extends Error {}

function passwordOf(user) {
  const name = `MONGODB_${user.toUpperCase()}_PASSWORD`;
  const password = env[name] || "";
  if (!/^[A-Za-z0-9._~-]{16,}$/.test(password)) {
    throw new Refusal(`${name} has to be 16 letters or digits at least; \`openssl rand -hex 24\` makes a good one.`);
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
      throw new Refusal("MONGODB_ADMINISTRATOR_PASSWORD is not the one that this database was made with.");
    }
    if (error.code !== ALREADY_INITIALIZED) throw error;
  }
}

function awaitPrimary() {
  const deadline = Date.now() + START_SECONDS * 1000;
  while (!db.hello().isWritablePrimary) {
    if (Date.now() > deadline) throw new Refusal(`MongoDB takes no writes after ${START_SECONDS} s; see its log.`);
    sleep(100);
  }
}

function makeAdministrator() {
  const admin = db.getSiblingDB("admin");
  try {
    admin.createUser({ ...ADMINISTRATOR, pwd: passwordOf(ADMINISTRATOR.user) });
  } catch (error) {
    if (error.codeName !== "Unauthorized") throw error;
    throw new Refusal("MONGODB_ADMINISTRATOR_PASSWORD is not the one that this database was made with.");
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
  const own = db.getSiblingDB(DATABASE);
  for (const { user, roles } of USERS) {
    const change = { pwd: passwordOf(user), roles };
    if (own.getUser(user)) own.updateUser(user, change);
    else own.createUser({ user, ...change });
  }
}

/** Does `work`, and ends mongosh with a sentence and code 1 when that is refused. */
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
