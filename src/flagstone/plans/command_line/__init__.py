"""The values of a command line that may change: arguments of a file of their own, and parameters of a search."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
