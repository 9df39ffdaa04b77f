"""Restores: a dump or an instant becomes the database, whole or one ticket or chat."""
