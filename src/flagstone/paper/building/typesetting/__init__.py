"""Turns sections into a PDF in the layout of a venue, and looks at what was printed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
