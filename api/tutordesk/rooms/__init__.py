"""Rooms: several people and the tutor, live, together."""
