"""Benchmarks of tickets."""
