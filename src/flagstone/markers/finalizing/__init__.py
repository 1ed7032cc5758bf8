"""From what sessions kept to clean commits of a person, on a branch of their repository."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
