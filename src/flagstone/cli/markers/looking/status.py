"""`flagstone marker status`: shows how the markers stand, or one in full."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.errors import FlagstoneError
from flagstone.markers import Marker, MarkerState, known_repositories, read_markers, state_of
from flagstone.records import seconds_of
from flagstone.text import clock_text, one_line

if TYPE_CHECKING:
    from rich.table import Table

UNBOUNDED = 240  # columns where nobody's terminal is the limit
COLUMNS = ("marker", "status", "last run", "baseline → best", "runs", "kept", "conf.", "cost")
NONE_YET = "no markers yet; flagstone marker init proposes one"


@marker_command
@click.option("--all", "wants_all", is_flag=True, help="Also those of the repositories that `add` made known.")
def command(chosen: Chosen, wants_all: bool) -> Answer:
    """Show the markers of this repository, or NAME in full.

    \b
    flagstone marker status
    flagstone marker status coverage --json
    """
    if chosen.name is not None:
        state = state_of(chosen.marker)
        return Answer([vars(state)], "\n".join(detail_lines(chosen.marker, state)))
    here = None
    with suppress(FlagstoneError) if wants_all else nullcontext():
        here = chosen.repository
    own = read_markers(here).markers if here else ()
    more = [each for each in known_repositories() if each != here] if wants_all else []
    markers, problems = markers_of(more)
    states = [state_of(each) for each in (*own, *markers)]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED
    text = table_text(states, width) if states else NONE_YET
    return Answer([vars(each) for each in states], "\n".join([text, *problems]))


def markers_of(repositories: Sequence[Path]) -> tuple[list[Marker], list[str]]:
    """The markers of these repositories, and what is wrong with the file of one."""
    found, problems = list[Marker](), []
    for repository in repositories:
        try:
            found += read_markers(repository).markers
        except FlagstoneError as error:
            problems.append(f"{repository}: {one_line(str(error))}")
    return found, problems


def table_text(states: Sequence[MarkerState], width: int) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(table_of(states, width))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def table_of(states: Sequence[MarkerState], width: int, chosen: int | None = None) -> Table:
    """One row a marker. A repository is named only if there are several; a long name is cut, and no number is."""
    from rich.table import Table
    from rich.text import Text

    found, rows = Table(box=None, pad_edge=False, header_style="bold"), [tuple(cells(each)) for each in states]
    for name in COLUMNS:
        found.add_column(name, no_wrap=True, justify="right" if name in ("runs", "kept", "conf.", "cost") else "left")
    names = short_names({each.repository for each in states})
    left = width - sum(2 + max(map(len, column)) for column in zip(COLUMNS[1:], *rows, strict=True))
    for number, (state, row) in enumerate(zip(states, rows, strict=True)):
        style = "reverse" if number == chosen else ""
        cell = Text(one_line(f"{names[state.repository]}:{state.marker}" if len(names) > 1 else state.marker))
        cell.truncate(max(8, left), overflow="ellipsis")
        found.add_row(cell, *map(Text, row), style=style)
    return found


def short_names(repositories: Collection[str]) -> dict[str, str]:
    """The last part of each path, or the whole path where that part is not clear."""
    counts = Counter(Path(each).name for each in repositories)
    return {each: Path(each).name if counts[Path(each).name] == 1 else each for each in repositories}


def cells(state: MarkerState) -> Iterator[str]:
    """All but the name."""
    yield "running" if state.process else state.status
    yield clock_text(seconds_of(state.last_run_at), time.time()) if state.last_run_at else "never"
    yield "" if state.baseline is None or state.best is None else f"{state.baseline:.5g} → {state.best:.5g}"
    yield str(state.runs)
    yield str(state.kept)
    yield "" if state.confidence is None else f"{state.confidence:.1f}"
    yield f"${state.cost_usd:.2f}"


def detail_lines(marker: Marker, state: MarkerState) -> Iterator[str]:
    yield table_text([state], UNBOUNDED)
    yield f"description: {one_line(marker.description) or 'none'}"
    yield f"may change: {', '.join(marker.mutable)}"
    wanted = "less" if marker.metric.direction == "min" else "more"
    target = "" if marker.metric.target is None else f", {marker.metric.target:g} is enough"
    yield f"measures: {one_line(marker.metric.command)} ({wanted} is better{target})"
    if state.process:
        yield f"a session goes on in process {state.process}"
    yield f"next: flagstone marker {'results' if state.runs else 'run'} {marker.name!r}"
