"""Which settings were found valid before: what did not change since is not checked against its schema again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import canonical, digest_value, mark_of, read_record, write_atomic
from flagstone.settings import defaults_file, table_file


def state_of(project: Project, run: Run, overrides: Mapping[str, Any] | None) -> str:
    """One word for everything that settings are validated from."""
    files = [project.schemas / f"{name}.schema.yaml" for name in ("settings", "stages")]
    files += [defaults_file(project, run), table_file(project, run), run.settings]
    return digest_value([[str(path), mark_of(path)] for path in files] + [dict(overrides or {})])


def is_known(run: Run, state: str) -> bool:
    """Whether exactly this was found valid by the last call that looked."""
    return (read_record(memory_file(run)) or {}).get("state") == state


def remember(run: Run, state: str) -> None:
    """Best effort: without it the next call checks again."""
    try:
        write_atomic(memory_file(run), canonical({"state": state}), durable=False)
    except FlagstoneError:
        return


def memory_file(run: Run) -> Path:
    return run.digest_cache.with_name("valid.json")
