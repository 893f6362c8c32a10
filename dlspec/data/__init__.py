"""Readers, one file a format; splits and fingerprints."""
