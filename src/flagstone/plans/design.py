"""The approved design of an experiment or trial as one digest: its plan, and the files it names, as approved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.plans.files import NamedFiles, is_small
from flagstone.plans.spec import plan_spec
from flagstone.plans.trial import planned_trial
from flagstone.records import digest_value, mark_of
from flagstone.seals import last_decision
from flagstone.stages import load_table


def design_of(run: Run, text: str) -> str:
    """The digest of a plan with the files it names. Only an approval changes it, never what is on disk now."""
    return digest_now(run.root, text, tuple(mark_of(run.seals)), tuple(mark_of(run.pinned / "stages.yaml")))


@lru_cache(maxsize=256)
def digest_now(root: Path, text: str, _seals: tuple[int, ...], _table: tuple[int, ...]) -> str:
    """Read once for each state of the approvals."""
    is_named = file_matcher(text)
    return digest_value([text, sorted(pair for pair in approved_files(Run(root)).items() if is_named(pair[0]))])


def approved_files(run: Run) -> dict[str, str]:
    """What was approved last, by path, of every stage that experiments rest on."""
    found: dict[str, str] = {}
    for nr in designing_stages(run):
        seal = last_decision(run, nr, event="approved")
        found |= seal.files if seal else {}
    return found


def files_on_disk(run: Run, text: str) -> Iterator[str]:
    """The files of the workspace that a plan names, to be approved with it, whatever a summary says of them."""
    is_named = file_matcher(text)
    for place, folders, names in os.walk(run.workspace):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            path = os.path.relpath(os.path.join(place, name), run.root)
            if is_named(path) and not (run.root / path).is_symlink() and is_small(run.root / path):
                yield path


def file_matcher(text: str) -> Callable[[str], bool]:
    """Whether a plan names a file of the run, by its path from there."""
    trial = planned_trial(text)
    spec = trial.experiment if trial else plan_spec(text)
    if spec is None:
        return lambda path: False
    root, named = os.path.normpath(spec.merged["subject"].get("root", ".")), NamedFiles.of(spec)
    trees = tuple(f"{os.path.normpath(arm.tree)}/" for arm in trial.arms if arm.tree) if trial else ()
    return lambda path: named.includes(os.path.relpath(path, root)) or path.startswith(trees)


def designing_stages(run: Run) -> Iterator[str]:
    try:
        table = load_table(run.pinned / "stages.yaml", run.pinned, validate=False)
    except (FlagstoneError, KeyError, TypeError, AttributeError):
        return
    for stage in table:
        if any(each.runs_experiments and stage in table.ancestors(each.nr) for each in table):
            yield stage.nr
