"""What a run consists of on disk: its settings and stages, its last publication, whether it is a copy."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
