"""Flagstone: long-form AI-assisted research as a gated, reproducible Snakemake workflow."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`flagstone.run`, `flagstone.experiment` and `flagstone.trial`, loaded when a notebook asks for them."""
    if name not in ("run", "experiment", "trial"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("flagstone.notebook"), name)
