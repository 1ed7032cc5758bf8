"""What Snakemake need not import for our rules."""

from __future__ import annotations

import sys
from glob import glob

PLUGINS = "snakemake_*_plugin_*"  # such as the SLURM plugin, which needs pandas


def spare_pandas() -> None:
    """Keeps Snakemake from importing pandas, which would take longer than a stage. Our parameters are no tables."""
    if not any(glob(PLUGINS, root_dir=folder) for folder in sys.path):
        sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
