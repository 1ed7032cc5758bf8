"""Every number that a paper may print, each with where it comes from; its tables and its figures."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
