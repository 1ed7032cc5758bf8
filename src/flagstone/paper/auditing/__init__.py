"""Hold a PDF against the results: every number that it shows has to come from somewhere."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
