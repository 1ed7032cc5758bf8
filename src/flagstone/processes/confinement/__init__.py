"""What keeps a child inside its grant: Landlock, bubblewrap, and an environment that leads nowhere else."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
