"""`flagstone marker skip`: leaves a marker out, or takes it in again."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.pause import switch
from flagstone.cli.markers.selection import Chosen, marker_command


@marker_command
def command(chosen: Chosen) -> Answer:
    """Skip NAME, or make it active again if it is skipped.

    \b
    flagstone marker skip coverage
    """
    return switch(chosen.marker, "skip")
