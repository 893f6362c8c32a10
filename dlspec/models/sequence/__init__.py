"""Architectures for sentences and series."""
