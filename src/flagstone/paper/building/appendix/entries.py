"""What one trial or experiment came to, as the appendix tells it: each run, or how many there were of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from flagstone.paper.building.appendix.long_tables import AppendixSection, AppendixTable, Part
from flagstone.text import count_text

NOTHING = "–"
MOST_ROWS = 300  # of a table; beyond it, runs are counted by their kind


@dataclass(frozen=True)
class MadeRun:
    """A run that was made. `group` is what it is counted with: an arm, or an experiment."""

    name: str
    group: str
    status: str
    value: float | None = None
    seed: str = ""
    wall_s: float | None = None
    exit_code: int | None = None
    words: str = ""

    @property
    def has_failed(self) -> bool:
        return self.status not in ("ok", "sealed")


@dataclass(frozen=True)
class AppendixEntry:
    """A trial or an experiment: what is said of it, its runs, and what of them cannot be found."""

    title: str
    parts: tuple[Part, ...] = ()
    runs: tuple[MadeRun, ...] = ()
    problems: tuple[str, ...] = ()
    ideas: int = 0
    alpha_spent: float = 0.0
    preregistrations: int = field(default=0)

    @property
    def section(self) -> AppendixSection:
        return AppendixSection(self.title, (*self.parts, *run_parts(self.runs)))


def run_parts(runs: Sequence[MadeRun]) -> Iterator[Part]:
    """Every run in a table; of very many how they ended, and the name of each that failed."""
    if not runs:
        yield "No run was made."
    elif len(runs) <= MOST_ROWS:
        yield runs_table(runs)
    else:
        yield f"There were {len(runs)} runs. This is how they ended, and then each that did not end well."
        yield counts_table(runs)
        yield from failure_parts([run for run in runs if run.has_failed])


def runs_table(runs: Sequence[MadeRun]) -> AppendixTable:
    """A row a run. What is known of none has no column."""
    head = ("run", "seed", "status", "value", "seconds", "exit code", "remark")
    columns = zip(head, *map(run_row, runs), strict=True)
    head, *rows = zip(*(column for column in columns if set(column[1:]) - {NOTHING, ""}), strict=True)
    return AppendixTable(head, tuple(rows))


def run_row(run: MadeRun) -> tuple[str, ...]:
    code = NOTHING if run.exit_code is None else number_text(run.exit_code)
    seconds = NOTHING if run.wall_s is None else f"{run.wall_s:.1f}"
    return run.name, run.seed or NOTHING, run.status, number_text(run.value), seconds, code, run.words


def counts_table(runs: Sequence[MadeRun]) -> AppendixTable:
    kinds = sorted(runs, key=lambda run: (run.group, run.status))
    rows = []
    for (group, status), each in groupby(kinds, key=lambda run: (run.group, run.status)):
        found = list(each)
        values = [run.value for run in found if run.value is not None]
        ends = (number_text(min(values)), number_text(max(values))) if values else (NOTHING, NOTHING)
        rows.append((group, status, str(len(found)), *ends, f"{sum(run.wall_s or 0.0 for run in found):.1f}"))
    return AppendixTable(("group", "status", "runs", "least value", "largest value", "seconds"), tuple(rows))


def failure_parts(failed: Sequence[MadeRun]) -> Iterator[Part]:
    """Each run that failed, with its exit code; of very many those of one kind in one row, each still by its name."""
    if len(failed) <= MOST_ROWS:
        yield runs_table(failed)
        return
    kinds = sorted(failed, key=lambda run: (run.group, run.status, str(run.exit_code)))
    grouped = groupby(kinds, key=lambda run: (run.group, run.status, run.exit_code))
    for (group, status, code), each in grouped:
        names = [run.name for run in each]
        end = f"{status}, exit code {code}" if code is not None else status
        yield f"{group}, {end}: {count_text(len(names), 'run')}: {', '.join(names)}."


def interval_text(numbers: Mapping[str, object]) -> str:
    """An interval as a record of a trial has it. A dash if it has none."""
    low, high = number_text(numbers.get("ci_low")), number_text(numbers.get("ci_high"))
    return NOTHING if NOTHING in (low, high) else f"{low} to {high}"


def number_text(value: object) -> str:
    """Six digits, with the sign of a minus. A dash if there is no number; a word such as NaN stays."""
    if value is None:
        return NOTHING
    text = f"{value:.6g}" if isinstance(value, int | float) else str(value)
    return text.replace("-", "\N{MINUS SIGN}")
