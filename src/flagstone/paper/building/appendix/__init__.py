"""Tells of every run, idea and decision in the appendix of a paper, and of a campaign in its tables."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
