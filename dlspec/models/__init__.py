"""Architectures, one file each.  base.py names the families."""
