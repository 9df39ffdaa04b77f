"""The collections and folders that operations treat apart, by name: operations know collections and never models.

A test compares these names with the documents that own them.
"""

DATABASE = "tutordesk"  # unless MONGODB_URL names another one
OWNERS, ROOM_SIGNALS, REPLIES, MIGRATIONS = "owners", "room_signals", "replies", "migrations"
COUNTS = "counts"
REPLY_PARTS = "parts"
LEASES = "leases"
DATA_EPOCH, SWITCH = "data_epoch", "switch"
STAGING = "restoring."  # the prefix of a restored copy's collections
# The beats of running servers, the signals between them and the counts of their limits. They mean nothing to another
# server or on another day.
TRANSIENT = (OWNERS, ROOM_SIGNALS, LEASES, COUNTS)
# Collections whose documents are never restored: transient ones, and the mark of the last restore.
NOT_RESTORED = (*TRANSIENT, DATA_EPOCH)
# Collections that a restore leaves alone, because they describe the database and not its data.
NOT_REPLACED = (DATA_EPOCH, LEASES)
CHANGE_LOG_FOLDER, CHANGE_LOG_LEASE = "changelog", "change log"
