"""Shared by tests and benchmarks of databases: states to compare, kills, a replica set and a change log."""
