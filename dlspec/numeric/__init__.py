"""Arithmetic in numpy alone."""
