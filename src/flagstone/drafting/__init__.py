"""One stage's attempt: prompt, agent, checks, repair, promotion; memory and handoff for the next."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
