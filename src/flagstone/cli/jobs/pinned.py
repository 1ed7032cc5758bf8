"""What a run has pinned, or else our own: prompts and schemas."""

from __future__ import annotations

from pathlib import Path

from flagstone.layout import Run, shipped_files


def pinned_or_ours(base: Path, folder: str, wanted: str) -> Path:
    pinned = Run(base).pinned / folder
    return pinned if (pinned / wanted).is_file() else shipped_files() / folder


def trial_schemas(base: Path) -> Path:
    """The schemas that a run pinned; ours for everything else."""
    return pinned_or_ours(base, "schemas", "trial.schema.yaml")
