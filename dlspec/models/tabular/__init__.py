"""Architectures for rows of a table; they take pictures too, flattened."""
