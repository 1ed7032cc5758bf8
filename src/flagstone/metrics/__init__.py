"""Readers of what a finished run left: logs, event files, tables, records, and a person's own code."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
