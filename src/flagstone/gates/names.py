"""A person's files under a name other than NN: `approved/6.flag` is taken as `approved/06.flag`, the rest is named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.gates.history import set_aside
from flagstone.gates.moment import names_in, waiting_feedback
from flagstone.gates.runs import RunConfig
from flagstone.records import cannot_write, content_of, write_atomic
from flagstone.stages import Stage

ENDINGS = {"approved": ".flag", "feedback": ".md", "redo": ""}
OWN_FILES = ("seals.jsonl",)
HIDDEN = (".", "#")  # what editors leave beside a file


@dataclass(frozen=True)
class OtherName:
    """A file that no stage looks for, and what its maker probably meant."""

    path: Path
    stage: Stage | None  # None if nothing takes it up by itself
    target: Path
    words: str


def other_names(opened: RunConfig) -> list[OtherName]:
    """Every file of a person whose name is not exactly that of a stage's file."""
    found: list[OtherName] = []
    for folder, ending in ENDINGS.items():
        top = opened.run.below(folder)
        expected = {f"{stage.nr}{ending}" for stage in opened.table}
        names = sorted({*names_in(top)} - expected - {*OWN_FILES})
        names = [name for name in names if not name.startswith(HIDDEN) and not name.endswith("~")]
        found += [other_name(opened, top / name, ending) for name in names]
    return found


def other_name(opened: RunConfig, path: Path, ending: str) -> OtherName:
    run = opened.run
    said = run.relative(path)
    try:
        stage = opened.table.find(path.stem)
    except FlagstoneError as error:
        example = f"{path.parent.name}/{opened.table.stages[0].nr}{ending}"
        return OtherName(path, None, path, f"nothing reads {said}: {error.problem}; name a stage as in {example}")
    target = path.with_name(f"{stage.nr}{ending}")
    if path.suffix != ending or not path.is_file():
        return OtherName(path, None, target, f"nothing reads {said}; did you mean {run.relative(target)}?")
    return OtherName(path, stage, target, f"{said} stands for {run.relative(target)}; the next run takes it as that")


def take_up_names(opened: RunConfig) -> list[str]:
    """Gives each file that means a stage the name of that stage's file; returns what was done, one sentence each."""
    said = []
    for other in other_names(opened):
        if other.stage is None:
            continue
        try:
            rename(opened, other, other.stage)
        except FileNotFoundError:  # another call was faster
            continue
        except OSError as error:
            raise cannot_write(other.target, error) from error
        said.append(f"{opened.run.relative(other.path)} was taken as {opened.run.relative(other.target)}")
    return said


def rename(opened: RunConfig, other: OtherName, stage: Stage) -> None:
    """Gives a file its name. If both are there, the later flag counts, and all words of feedback do."""
    run, path, target = opened.run, other.path, other.target
    waiting = waiting_feedback(run, stage) if target == run.feedback(stage.nr) else b""
    if waiting.strip():
        write_atomic(target, waiting.rstrip() + b"\n\n" + (content_of(path) or b""))
        set_aside(run, stage.nr, path, "other-name")
    elif target.exists() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns and target != run.feedback(stage.nr):
        set_aside(run, stage.nr, path, "other-name")
    else:
        os.replace(path, target)
