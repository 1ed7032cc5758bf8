"""`flagstone marker pause`: lets a marker rest, or makes it active again."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import Marker, MarkerStatus, set_status, status_of


@marker_command
def command(chosen: Chosen) -> Answer:
    """Pause NAME, or make it active again if it is paused.

    \b
    flagstone marker pause coverage
    """
    return switch(chosen.marker, "paused")


def switch(marker: Marker, status: MarkerStatus) -> Answer:
    """Sets the status; back to active if it has it already."""
    now: MarkerStatus = "active" if status_of(marker) == status else status
    set_status(marker, now)
    return Answer({"marker": marker.name, "status": now}, f"{marker.name} is {now} now")
