"""The state of each gate, and the decisions that open and close it. Standard library and YAML only."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
