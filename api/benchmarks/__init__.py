"""Benchmarks: the server's figures of the README, measured with `python -m benchmarks`."""
