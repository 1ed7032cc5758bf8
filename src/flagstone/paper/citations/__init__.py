"""Ask registries about each work that a paper cites, and render the bibliography from their answers alone."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
