"""The number of a marker, measured once as a session measures it: the last commit, in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.experiments.candidates import make_empty_folder, seed_for
from flagstone.experiments.engine import OpenedExperiment, harness_of, open_experiment
from flagstone.experiments.measuring import Order, failure_text, tail_text
from flagstone.locks import hold
from flagstone.markers.compile import spec_values
from flagstone.markers.folder import MARKERS, MarkerFolder
from flagstone.markers.homes import make_folder, write_spec
from flagstone.markers.marker import Marker, Metric
from flagstone.markers.proposals.tools import better_metric
from flagstone.plans import FOLDER, Home, run_id
from flagstone.processes import Interruption, end_orphans
from flagstone.records import content_of

PLACE = ".init"  # no marker has such a name
SHOWN_LINES = 8


@dataclass(frozen=True)
class FirstNumber:
    """What measuring once gave. Without a number, `reason` says why; `exit_code` is None if nothing was run.

    `printed` is the end of what the command printed, and `notices` what of the repository was left out.
    """

    value: float | None = None
    reason: str = ""
    exit_code: int | None = None
    wall_s: float = 0.0
    printed: str = ""
    guard_fault: str = ""
    notices: tuple[str, ...] = ()


def first_number(marker: Marker, schemas: Path, say: Callable[[str], None]) -> FirstNumber:
    """Runs the command of a marker once, reads its number, and tries the guard. Nothing of it is kept."""
    say(f"running once: {marker.metric.command}")
    try:
        with place_for(marker) as home:
            write_spec(home, spec_values(marker, at_head=True))
            return measure_once(open_experiment(home, schemas), say)
    except Interrupted:
        raise
    except FlagstoneError as error:
        return FirstNumber(reason=error.problem)


def place_of(repository: Path) -> MarkerFolder:
    return MarkerFolder(repository / FOLDER / MARKERS / PLACE, repository)


@contextmanager
def place_for(marker: Marker) -> Iterator[Home]:
    """A folder for one measurement. What a killed one has left there goes away."""
    folder = place_of(marker.repository)
    make_folder(folder)
    with hold(folder.lock, "the measurement of a new marker"):
        home = folder.home(1)
        end_orphans(str(home.root))
        make_empty_folder(home.root)
        try:
            yield home
        finally:
            make_empty_folder(home.root)
            home.root.rmdir()


def measure_once(opened: OpenedExperiment, say: Callable[[str], None]) -> FirstNumber:
    order = Order(opened.home.run(run_id(1)), opened.base.tree, "first", seed_for(opened.spec.seed, 0))
    with Interruption() as interruption:
        harness = harness_of(opened, interruption, say)
        found = harness.measure(order)
        if found.status == "interrupted":
            raise Interrupted("interrupted; no marker was added", hint="give the same command again")
        tries = harness.check("guard", order) if found.value is not None and opened.spec.guard else ()
    return FirstNumber(
        found.value,
        found.reason,
        found.exit_code,
        found.wall_s,
        tail_text(order.run.log, SHOWN_LINES) if content_of(order.run.log) else "",
        failure_text(opened.spec.guard, tries) if opened.spec.guard and tries else "",
        opened.subject.notices(opened.base),
    )


def better_lines(
    marker: Marker, found: FirstNumber, schemas: Path, say: Callable[[str], None]
) -> tuple[Metric, float] | None:
    """The way to read the number of a known tool, with what it read. Returns None if there is none that reads it."""
    better = better_metric(marker.metric) if found.value is None and found.exit_code is not None else None
    if better is None:
        return None
    value = first_number(replace(marker, metric=better, guard=None), schemas, say).value
    return None if value is None else (better, value)
