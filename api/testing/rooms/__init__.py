"""Shared by tests and benchmarks of rooms: people, their sockets, and a Redis that can be killed."""
