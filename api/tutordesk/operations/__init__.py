"""Keeping it: the embedded MongoDB and health. Knows collections, never models."""
