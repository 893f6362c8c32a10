"""Convolutional architectures."""
