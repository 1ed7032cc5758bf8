"""What a stage leaves behind: its summary, its files, and whether both are what they claim to be."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
