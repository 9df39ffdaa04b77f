"""Benchmarks: the figures of docs/figures.md, measured with `python -m benchmarks`."""
