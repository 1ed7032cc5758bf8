"""Records on disk: atomic, durable, digested; and ledgers whose lines are chained."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
