"""Edits as trees: what a candidate is, how it is stored, and how it is laid out to be run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
