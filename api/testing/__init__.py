"""Everything that tests and benchmarks share: a fake model's wire, serving processes, readers, databases, people."""
