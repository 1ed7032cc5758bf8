"""What surrounds the call of an agent that edits: what it is shown besides, what it left, and what it cost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
