"""`flagstone marker status`: shows every marker of a repository, or one."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import read_markers, status_of
from flagstone.text import one_line


@marker_command
def command(chosen: Chosen) -> Answer:
    """Show the markers of this repository, or only NAME.

    \b
    flagstone marker status
    flagstone marker status coverage --json
    """
    markers = read_markers(chosen.repository).markers if chosen.name is None else (chosen.marker,)
    rows = [{"marker": each.name, "status": status_of(each), "description": each.description} for each in markers]
    width = max((len(each.name) for each in markers), default=0)
    lines = [
        f"{each.name:<{width}}  {status_of(each):<11}  {one_line(each.description, 80)}".rstrip() for each in markers
    ]
    return Answer(rows, "\n".join(lines) or "no markers yet; flagstone marker init proposes one")
