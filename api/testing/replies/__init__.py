"""Shared by tests and benchmarks of replies: a reader of the wire, cuts, and the text that kills lose."""
