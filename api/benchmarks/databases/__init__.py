"""Benchmarks of databases."""
