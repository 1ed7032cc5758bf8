"""Adds a marker to the marker file of a repository, with its number measured."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Checkout
from flagstone.locks import hold
from flagstone.markers.marker import Marker, Metric
from flagstone.markers.proposals.first_numbers import FirstNumber, better_lines, first_number, place_of
from flagstone.markers.proposals.insertion import block_text, marker_file, marker_names, text_with
from flagstone.markers.proposals.proposal import Proposal
from flagstone.markers.reading import marker_named, markers_in
from flagstone.markers.tccw import FILES
from flagstone.records import write_atomic
from flagstone.schemas import LocatedYaml


@dataclass(frozen=True)
class NewMarker:
    """A marker that was added. If its lines read no number, `better` is the way that reads one, with that number."""

    marker: Marker
    file: str
    text: str
    number: FirstNumber
    better: tuple[Metric, float] | None = None
    is_guard_left_out: bool = False
    is_ignored: bool = False


def add_marker(repository: Path, proposal: Proposal, schemas: Path, say: Callable[[str], None]) -> NewMarker:
    """Measures a proposal once and writes it down. A proposed guard that fails already is left out."""
    name = marker_file(repository)
    marker = marker_in(repository, name, proposal)
    found = first_number(marker, schemas, say)
    better = better_lines(marker, found, schemas, say)
    leaves_guard = bool(found.guard_fault) and not proposal.keeps_guard
    proposal = replace(
        proposal,
        metric=replace(proposal.metric, baseline=found.value),
        guard="" if leaves_guard else proposal.guard,
    )
    row = proposal.row(is_tccw=name in FILES)
    with hold(place_of(repository).lock, "the measurement of a new marker", wait=True):
        marker_in(repository, name, proposal)  # the file may have changed meanwhile
        write_file(repository / name, text_with(repository, name, row))
    is_ignored = bool(Checkout(repository).git("ls-files", "-z", "-o", "-i", "--exclude-standard", "--", name))
    return NewMarker(
        marker_named(repository, proposal.name), name, block_text(row, 2), found, better, leaves_guard, is_ignored
    )


def marker_in(repository: Path, name: str, proposal: Proposal) -> Marker:
    """A proposal as a marker of the file. Raises an error if the file is wrong, or has a marker of this name."""
    if proposal.name in marker_names(repository):
        raise FlagstoneError(
            f"there is a marker {proposal.name!r} in {name} already",
            hint="give the new one another name: flagstone marker init NAME",
        )
    text = text_with(repository, name, proposal.row(is_tccw=name in FILES))
    return markers_in(LocatedYaml(text, name), repository / name).markers[-1]


def write_file(path: Path, text: str) -> None:
    """Writes the file that a path, or a link, leads to. It keeps its mode."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
    write_atomic(target, text.encode(), mode=mode)
