"""What tests and benchmarks share: a fake model's wire, serving processes, readers of events."""
