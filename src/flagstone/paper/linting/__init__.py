"""Hold the source of a paper against what it may hold: macros from a list, and no number that nobody measured."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
