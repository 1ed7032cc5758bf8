"""The stage table: which stages there are, what each rests on, and what each must leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from flagstone import schemas
from flagstone.errors import FlagstoneError, suggestion


@dataclass(frozen=True)
class NamedFile:
    """A file that a stage must leave: a table with these columns, or an object with these keys."""

    path: str
    names: tuple[str, ...]

    @property
    def is_table(self) -> bool:
        return self.path.endswith(".csv")


@dataclass(frozen=True)
class Stage:
    """One row of config/stages.yaml."""

    nr: str
    name: str
    title: str
    after: tuple[str, ...] = ()
    mode: str = "work"
    requires: tuple[str, ...] = ()
    shows_index: bool = False
    shows_venue: bool = False
    runs_experiments: bool = False
    leaves: tuple[NamedFile, ...] = ()
    prompts: str = ""
    reviewers: tuple[str, ...] = ()
    work: str = ""  # what Flagstone itself does for it: setup | discovery | paper | completion

    @property
    def key(self) -> str:
        return f"{self.nr}_{self.name}"

    @property
    def is_release(self) -> bool:
        """Whether it prepares the run for strangers: Flagstone then computes its readiness, and packs the bundle."""
        return any(each.removeprefix("fresh-") == "readiness" for each in self.requires)

    def prompt(self, name: str = "") -> str:
        """The template of the stage, or of this name, relative to the folder of prompts."""
        return f"{self.prompts}/{name or self.key}.md.j2" if self.prompts else f"{name or self.key}.md.j2"


@dataclass(frozen=True)
class StageTable:
    """All stages, in an order in which each comes after what it rests on."""

    stages: tuple[Stage, ...]

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def stage(self, nr: str) -> Stage:
        return next(stage for stage in self.stages if stage.nr == nr)

    def find(self, word: str) -> Stage:
        """The stage a person means by `3`, `03`, `study_design` or `03_study_design`."""
        wanted = str(word).strip().lower()
        for stage in self.stages:
            if wanted in (stage.nr, stage.nr.lstrip("0"), stage.name, stage.key):
                return stage
        known = [stage.key for stage in self.stages]
        hint = suggestion(wanted, known) or f"the stages are {', '.join(known)}"
        raise FlagstoneError(f"there is no stage {word!r}", hint=hint)

    def ancestors(self, nr: str) -> tuple[Stage, ...]:
        """Every stage that this one rests on, directly or not, in table order."""
        return self.all_ancestors[nr]

    @cached_property
    def all_ancestors(self) -> Mapping[str, tuple[Stage, ...]]:
        found: dict[str, tuple[Stage, ...]] = {}
        for stage in self.stages:  # what a stage rests on comes before it
            above = {up for parent in stage.after for up in (parent, *(each.nr for each in found[parent]))}
            found[stage.nr] = tuple(each for each in self.stages if each.nr in above)
        return found

    def descendants(self, nr: str) -> tuple[Stage, ...]:
        """Every stage that rests on this one, directly or not, in table order."""
        return tuple(stage for stage in self.stages if any(up.nr == nr for up in self.ancestors(stage.nr)))


def load_table(path: Path, schema_folder: Path, *, validate: bool = True) -> StageTable:
    """The stage table of a file; an unknown reference or a cycle is an error in the user's words."""
    value = schemas.read_yaml(path)
    if validate:
        schemas.check(schema_folder, "stages", value, str(path))
    try:
        stages = {nr: stage_of(nr, row) for nr, row in value["stages"].items()}
    except (msgspec.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise FlagstoneError(f"{path} is no stage table: {error}", hint=f"correct {path}") from error
    return StageTable(sort_stages(stages, str(path)))


def stage_of(nr: str, row: Mapping[str, Any]) -> Stage:
    leaves = [{"path": path, "names": names} for path, names in row.get("leaves", {}).items()]
    return msgspec.convert({**row, "nr": nr, "leaves": leaves}, Stage)


def sort_stages(stages: Mapping[str, Stage], where: str) -> tuple[Stage, ...]:
    """Stages in an order in which nothing comes before what it rests on."""
    strangers = sorted({up for stage in stages.values() for up in stage.after} - set(stages))
    if strangers:
        raise FlagstoneError(
            f"{where}: `after` names stages that do not exist: {', '.join(strangers)}",
            hint=f"the stages of this table are {', '.join(sorted(stages))}",
        )
    refuse_same_names(stages, where)
    done: dict[str, Stage] = {}
    while len(done) < len(stages):
        ready = sorted(nr for nr, stage in stages.items() if nr not in done and done.keys() >= set(stage.after))
        if not ready:
            stuck = ", ".join(sorted(set(stages) - set(done)))
            raise FlagstoneError(
                f"{where}: the stages {stuck} depend on each other in a circle",
                hint="remove one of their `after` entries, so that there is a first one",
            )
        done[ready[0]] = stages[ready[0]]
    return tuple(done.values())


def refuse_same_names(stages: Mapping[str, Stage], where: str) -> None:
    """Refuses one name for two stages: rules and files are named by it."""
    for one, other in combinations(sorted(stages), 2):
        if stages[one].name == stages[other].name:
            raise FlagstoneError(
                f"{where}: the stages {one} and {other} are both called {stages[one].name!r}",
                hint="give one of them another name",
            )
