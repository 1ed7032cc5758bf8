"""report.html: what a run is about and how it stands, on one page that opens in a browser without anything else."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
