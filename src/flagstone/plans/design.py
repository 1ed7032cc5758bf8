"""The approved design of an experiment as one digest: its plan, and the files it names as they were approved."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.globs import matches
from flagstone.layout import Run
from flagstone.plans.needs import part
from flagstone.records import digest_value, mark_of
from flagstone.schemas import parse_yaml
from flagstone.seals import last_decision
from flagstone.stages import load_table

LARGEST = 50_000_000
SOURCES = (".py", ".sh", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".cu", ".cpp", ".h")


def design_of(run: Run, text: str) -> str:
    """The digest of a plan with the files it names. Only an approval changes it, never what stands on disk now."""
    return digest_now(run.root, text, tuple(mark_of(run.seals)), tuple(mark_of(run.pinned / "stages.yaml")))


@lru_cache(maxsize=256)
def digest_now(root: Path, text: str, _seals: tuple[int, ...], _table: tuple[int, ...]) -> str:
    """Read once for each state of the approvals."""
    named = Named.by(text)
    return digest_value([text, sorted(pair for pair in approved_files(Run(root)).items() if named.holds(pair[0]))])


def approved_files(run: Run) -> dict[str, str]:
    """What was approved last, by path, of every stage that experiments rest on."""
    found: dict[str, str] = {}
    for nr in designing_stages(run):
        seal = last_decision(run, nr, event="approved")
        found |= seal.files if seal else {}
    return found


def files_on_disk(run: Run, text: str) -> Iterator[str]:
    """The files of the workspace that a plan names, to be approved with it, whatever a summary says of them."""
    named = Named.by(text)
    for place, folders, names in os.walk(run.workspace):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            path = os.path.relpath(os.path.join(place, name), run.root)
            if named.holds(path) and is_small_file(run.root / path):
                yield path


def designing_stages(run: Run) -> Iterator[str]:
    try:
        table = load_table(run.pinned / "stages.yaml", run.pinned, validate=False)
    except (FlagstoneError, KeyError, TypeError, AttributeError):
        return
    for stage in table:
        if any(each.runs_experiments and stage in table.ancestors(each.nr) for each in table):
            yield stage.nr


class Named:
    """The files that a plan names: what may change, and what decides about the number."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        subject, code = part(plan, "subject"), str(part(plan, "metric").get("code", ""))
        self.root = os.path.normpath(str(subject.get("root", ".")))
        self.mutable = texts(subject.get("mutable"))
        self.protected = texts(subject.get("protected")) if "protected" in subject else None
        self.is_git = subject.get("kind") == "git"
        plain = [word for word in self.mutable if not set(word) & set("*?[")]
        self.entry = str(subject.get("entry") or (plain[0] if plain else ""))
        words = [str(plan.get("contract", "")), "" if "\n" in code else code]
        for step in ("harness", "evaluate", "guard"):
            words += texts(part(plan, step).get("argv"))
        self.words = {os.path.normpath(os.path.join(self.root, word)) for word in words if word}

    @classmethod
    def by(cls, text: str) -> Named:
        try:
            plan = parse_yaml(text, "the plan")
        except FlagstoneError:
            plan = None  # the job itself says what is wrong
        return cls(plan if isinstance(plan, Mapping) else {})

    def holds(self, path: str) -> bool:
        """Whether a file of the run, by its path from there, is one of them."""
        inside = os.path.relpath(path, self.root)
        if path in self.words or matches(inside, self.mutable):
            return True
        if self.protected is not None:
            return matches(inside, self.protected)
        is_beside = os.path.dirname(inside) == os.path.dirname(os.path.normpath(self.entry))
        return not self.is_git and is_beside and inside.endswith(SOURCES)


def texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def is_small_file(path: Path) -> bool:
    """Whether it is worth a copy in the history of a stage; a link is no file here."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST
