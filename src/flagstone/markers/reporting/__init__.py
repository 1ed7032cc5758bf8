"""What people are shown of a marker: its runs, how it stands, and why its best is believed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
