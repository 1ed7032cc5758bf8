"""The ledger of a trial, sorted by what its lines are about. Everything that is shown is derived from this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import msgspec

from flagstone.errors import FlagstoneError
from flagstone.records import Ledger
from flagstone.trials.lines import DenialLine, IdeaLine, Line, LookLine, PreregLine, RunLine, VerdictLine

KINDS: Mapping[str, type[Line]] = {kind.__dataclass_fields__["kind"].default: kind for kind in get_args(Line)}


@dataclass(frozen=True)
class Story:
    """Runs by arm and slot, the last pre-registration and verdict, ideas by arm, looks and denials in their order."""

    runs: Mapping[tuple[str, str], RunLine] = field(default_factory=dict)
    prereg: PreregLine | None = None
    ideas: Mapping[str, IdeaLine] = field(default_factory=dict)
    looks: tuple[LookLine, ...] = ()
    verdict: VerdictLine | None = None
    denials: tuple[DenialLine, ...] = ()

    def runs_of(self, arm: str, stage: str = "") -> list[RunLine]:
        """The runs of an arm in the order of their slots; `stage` is a for screening, b for confirmation."""
        found = [run for (name, slot), run in self.runs.items() if name == arm and slot.startswith(stage)]
        return sorted(found, key=lambda run: slot_order(run.slot))

    def baseline_runs(self, screening: int) -> list[RunLine]:
        """The first runs of the control on the screening seeds, repeats left out."""
        return [run for run in self.runs_of("control", "a") if "r" not in run.slot][:screening]


def slot_order(slot: str) -> tuple[str, int, int]:
    """Sorts a1, a1r2, a2, …, a10, b1."""
    number, _, repeat = slot[1:].partition("r")
    return slot[:1], int(number or 0), int(repeat or 0)


def story_of(lines: Iterable[Line]) -> Story:
    runs: dict[tuple[str, str], RunLine] = {}
    ideas: dict[str, IdeaLine] = {}
    looks: list[LookLine] = []
    denials: list[DenialLine] = []
    prereg: PreregLine | None = None
    verdict: VerdictLine | None = None
    for line in lines:
        match line:
            case RunLine():
                runs[line.arm, line.slot] = line
            case IdeaLine():
                ideas[line.arm] = line
            case LookLine():
                looks.append(line)
            case PreregLine():
                prereg = line
            case VerdictLine():
                verdict = line
            case DenialLine():
                denials.append(line)
    return Story(runs, prereg, ideas, tuple(looks), verdict, tuple(denials))


def lines_in(ledger: Path) -> list[Line]:
    """Every line, in order. What is no JSON is left out (see `Ledger.problems`); what is no line of a trial raises."""
    return [line_of(entry, ledger) for entry in Ledger(ledger).read(dict[str, Any])]


def line_of(entry: Mapping[str, Any], ledger: Path) -> Line:
    try:
        return msgspec.convert(entry, KINDS[entry["kind"]], strict=False)  # not strict: a word stands for NaN
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise FlagstoneError(
            f"{ledger} has a line that is none of a trial (kind {entry.get('kind')!r}): {error}",
            hint="restore the ledger from a copy, or use the version of Flagstone that wrote it",
        ) from error


def read_story(ledger: Path) -> Story:
    return story_of(lines_in(ledger))
