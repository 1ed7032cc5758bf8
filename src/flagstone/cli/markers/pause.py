"""`flagstone marker pause`: lets a marker rest, or makes it active again."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.errors import FlagstoneError
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
    if status_of(marker) == "needs_human":
        raise FlagstoneError(
            f"marker {marker.name} needs a person, and rests already",
            hint=f"flagstone marker run {marker.name!r} --resume makes it active again",
        )
    now: MarkerStatus = "active" if status_of(marker) == status else status
    set_status(marker, now)
    return Answer({"marker": marker.name, "status": now}, f"{marker.name} is {'skipped' if now == 'skip' else now} now")
