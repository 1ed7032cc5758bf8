"""Git as the store of candidates: objects, trees, our own repository, and a person's checkout."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
