"""Asks registries about a work, and reads what they answer, whatever form that has."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
