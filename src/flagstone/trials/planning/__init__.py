"""Read the plan of a trial, and say what it can find and what it takes before anything runs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
