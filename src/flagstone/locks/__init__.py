"""File locks, which die with their process: of one file, and those that all users of one machine share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
