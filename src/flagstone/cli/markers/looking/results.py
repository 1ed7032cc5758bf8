"""`flagstone marker results`: shows every run of a marker."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import MarkerFolder, result_rows, table


@marker_command
def command(chosen: Chosen) -> Answer:
    """Show every run of NAME as tab-separated values: what was tried, its number, and why it was kept or not.

    \b
    flagstone marker results coverage
    """
    marker = chosen.marker
    rows = result_rows(MarkerFolder.of(marker.repository, marker.name))
    text = table(rows) if rows else f"no runs yet; flagstone marker run {marker.name!r} makes some"
    return Answer([vars(row) for row in rows], text)
