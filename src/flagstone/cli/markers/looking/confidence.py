"""`flagstone marker confidence`: shows why the best is believed."""

from __future__ import annotations

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import MarkerFolder, confidence_lines, confidence_of


@marker_command
def command(chosen: Chosen) -> Answer:
    """Show why the best of NAME is believed: the evidence of each keep, and the score of tccw-autoresearch beside it.

    The score is the distance of the best from the baseline, in spreads (1.4826 MAD) of the kept values. It decides
    nothing: values that were kept because they are good lie close together also if they are luck.

    \b
    flagstone marker confidence coverage
    """
    name = chosen.marker.name
    found = confidence_of(MarkerFolder.of(chosen.repository, name))
    data = {
        "marker": name,
        "current": found.best,
        "kept_count": len(found.keeps),
        "confidence_score": found.score,
        "confidence_label": found.label,
        **vars(found),
        "keeps": [vars(each) for each in found.keeps],
    }
    text = "\n".join(confidence_lines(found)) or f"nothing is measured yet; flagstone marker run {name!r} begins"
    return Answer(data, text)
