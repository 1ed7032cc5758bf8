"""Decide in a trial: failed runs, checks, the screen, both gates and the verdict, from numbers alone."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
