"""`flagstone marker results`: shows every run of a marker."""

from __future__ import annotations

import click

from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import MarkerFolder, result_rows, table, write_summary


@marker_command
@click.option("--page", "wants_page", is_flag=True, help="Write all about NAME as a web page, and print its path.")
def command(chosen: Chosen, wants_page: bool) -> Answer:
    """Show every run of NAME as tab-separated values: what was tried, its number, and why it was kept or not.

    \b
    flagstone marker results coverage
    flagstone marker results coverage --page
    """
    marker = chosen.marker
    if wants_page:
        page = write_summary(marker, schemas_of(marker.repository))
        return Answer({"page": str(page)}, str(page))
    rows = result_rows(MarkerFolder.of(marker.repository, marker.name))
    text = table(rows) if rows else f"no runs yet; flagstone marker run {marker.name!r} makes some"
    return Answer([vars(row) for row in rows], text)
