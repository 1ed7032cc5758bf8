"""Flagstone: long-form AI-assisted research as a gated, reproducible Snakemake workflow."""

__version__ = "0.1.0"
