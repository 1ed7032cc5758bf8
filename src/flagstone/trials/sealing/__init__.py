"""What a trial holds to: the basis of each run, the pre-registration, the confirmation seeds, and their proof."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
