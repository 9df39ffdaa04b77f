"""Dumps: writes and reads the folders of mongodump and mongorestore."""
