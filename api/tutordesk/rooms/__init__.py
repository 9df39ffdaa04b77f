"""Rooms: several people and the tutor talk to each other live."""
