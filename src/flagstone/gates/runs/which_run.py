"""Which run a person means: a name, `latest`, the only one, or the one they stand in."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.layout import RUN_NAME, Project, Run


def chosen_run(project: Project, wanted: str | None, keys: Mapping[str, Any], here: Path) -> Run:
    """The run that is meant; a mistyped name is an error and creates nothing."""
    names = project.run_names()
    if wanted:
        return named_run(project, str(wanted), names)
    around = run_around(project, here)
    if around:
        return around
    if keys.get("run"):
        return named_run(project, str(keys["run"]), names)
    if len(names) == 1:
        return project.run(names[0])
    if not names:
        raise FlagstoneError(
            f"there is no run yet below {project.runs_dir}",
            hint='start one: flagstone new NAME --goal "…"',
        )
    raise FlagstoneError(
        f"there are several runs: {', '.join(names[-20:])}",
        hint=f"choose one: snakemake --config run={names[-1]} --cores 4, or flagstone … --run {names[-1]}",
    )


def named_run(project: Project, wanted: str, names: list[str]) -> Run:
    if wanted == "latest" and names:
        return project.run(names[-1])
    if wanted in names:
        return project.run(wanted)
    if not RUN_NAME.match(wanted):
        raise FlagstoneError(
            f"{wanted!r} cannot be the name of a run",
            hint="a name has letters, digits, '.', '_' and '-', at most 64, and starts with a letter or digit",
        )
    close = difflib.get_close_matches(wanted, names, n=1)
    if close:
        hint = f"did you mean {close[0]}?"
    elif names:
        hint = f'the runs are {", ".join(names[-20:])}; a new one: flagstone new {wanted} --goal "…"'
    else:
        hint = f'there is none yet; start it: flagstone new {wanted} --goal "…"'
    raise FlagstoneError(f"there is no run {wanted!r} below {project.runs_dir}", hint=hint)


def run_around(project: Project, here: Path) -> Run | None:
    """The run whose folder a person stands in, at any depth."""
    runs_dir = project.runs_dir.resolve()
    here = here.resolve()
    if runs_dir not in here.parents:
        return None
    run = Run(runs_dir / here.relative_to(runs_dir).parts[0])
    return run if run.settings.is_file() else None
