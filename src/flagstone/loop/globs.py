"""Globs as a subject names its files by them."""

from flagstone.globs import matches, pattern_of

__all__ = ["matches", "pattern_of"]
