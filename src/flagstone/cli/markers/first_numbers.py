"""Shows what measuring a marker once gave: of a new one, or of those that are there."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, print_line
from flagstone.markers import (
    FirstNumber,
    Marker,
    Metric,
    NewMarker,
    better_lines,
    first_number,
    marker_named,
    metric_row,
    read_markers,
    yaml_text,
)

NOT_RUN = 126  # this exit code of a shell, and those above it, say that a command was not run to its end


def new_marker_answer(chosen: Chosen, made: NewMarker) -> Answer:
    """What was written, the number, and what to do next."""
    marker, here = made.marker, chosen.location.here.resolve()
    file = shlex.quote(os.path.relpath(chosen.repository / made.file, here))
    is_inside = here.is_relative_to(chosen.repository)
    elsewhere = "" if is_inside else f" -C {shlex.quote(os.path.relpath(chosen.repository, here))}"
    lines = [f"added to {file}:", made.text.rstrip(), *number_lines(marker, made.number, made.better)]
    if made.is_guard_left_out:
        lines.append(f"left out: {made.number.guard_fault}. With this guard nothing could be kept")
    lines += [f"note: {notice}" for notice in made.number.notices]
    if marker.loop.budgets.usd is None:
        lines.append("note: nothing limits what the agent costs: loop: {budgets: {usd: 5}} would")
    git, path = f"git{elsewhere}", file if is_inside else made.file
    add = f"{git} add {'-f ' if made.is_ignored else ''}{path}"
    lines.append(f"next: {add} && {git} commit -m {shlex.quote(f'Add the marker {marker.name}')} {path}")
    verb = "init --check" if made.number.value is None else "run"  # first its lines have to be mended
    lines.append(f"then: flagstone marker {verb} {shlex.quote(marker.name)}")
    return Answer(number_record(marker, made.number, made.better) | {"file": made.file}, "\n".join(lines))


def checked_markers(repository: Path, name: str | None) -> Answer:
    """Measures every marker once, or the one of this name. Nothing is written."""
    markers = (marker_named(repository, name),) if name else read_markers(repository).markers
    rows, lines, failures = [], list[str](), list[str]()
    for marker in markers:
        found = first_number(marker, schemas_of(repository), print_line)
        better = better_lines(marker, found, schemas_of(repository), print_line)
        rows.append(number_record(marker, found, better))
        lines += number_lines(marker, found, better)
        failures += [f"{marker.name}: {found.reason}"] if found.value is None else []
    text = "\n".join(lines) or "there is no marker to measure"
    return Answer(rows, text, "\n".join(failures), 3 if failures else 0)


def number_record(marker: Marker, found: FirstNumber, better: tuple[Metric, float] | None) -> dict[str, Any]:
    made: dict[str, Any] = {"marker": marker.name, **metric_row(marker.metric), "baseline": found.value}
    made |= {key: getattr(found, key) for key in ("reason", "exit_code", "guard_fault", "notices")}
    if better:
        made["better"] = changed_lines(marker.metric, *better)
    return made


def changed_lines(metric: Metric, better: Metric, value: float) -> dict[str, Any]:
    """What has to be written differently so that the number is read."""
    own, rows = metric_row(metric), metric_row(replace(better, baseline=value))
    return {key: row for key, row in rows.items() if row != own.get(key)}


def number_lines(marker: Marker, found: FirstNumber, better: tuple[Metric, float] | None) -> Iterator[str]:
    """What was measured, in words; without a number why, and what would help."""
    if found.value is not None:
        how = f"exit code {found.exit_code}, {found.wall_s:.1f} s"
        yield f"{marker.name}: {found.value:g}, measured once on the last commit ({how})"
        if marker.metric.baseline not in (None, found.value):
            yield f"{marker.name}: the file says that it is {marker.metric.baseline:g}"
        if marker.guard and found.guard_fault:
            yield f"{marker.name}: {found.guard_fault}. Until it passes, nothing can be kept"
        if marker.metric.direction == "min" and found.value == 0:
            yield f"{marker.name}: nothing is left to gain"
        if marker.metric.direction == "max" and found.exit_code == 0 and marker.metric.ok_exit != (0,):
            yield f"{marker.name}: nothing failed; if it counts what passes, nothing is left to gain"
        return
    yield f"{marker.name}: no number was measured: {found.reason}"
    if found.printed.strip():
        yield f"it printed last:\n{textwrap.indent(found.printed.rstrip(), '  ')}"
    if better:
        lines = yaml_text(changed_lines(marker.metric, *better)).rstrip()
        yield f"with these lines in place of its own it reads {better[1]:g}:\n{textwrap.indent(lines, '  ')}"
    elif hint := hint_of(marker.metric, found):
        yield hint


def hint_of(metric: Metric, found: FirstNumber) -> str:
    """What to write if the command is as it should be. Returns '' if nothing was run."""
    code = found.exit_code
    if code is None or code < 0 or code >= NOT_RUN:
        return ""
    if code not in metric.ok_exit:
        return f"if it always ends like this, write metric.ok_exit: {[*metric.ok_exit, code]}"
    return "if printing nothing means a number, write it as metric.empty: 0" if metric.empty is None else ""
