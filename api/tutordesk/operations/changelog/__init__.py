"""The change log: every oplog entry of the database, kept in files."""
