"""`flagstone marker confidence`: shows why the best is believed."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.markers import Confidence, Keep, MarkerFolder, confidence_of
from flagstone.text import count_text, one_line


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
    text = "\n".join(lines(found)) or f"nothing is measured yet; flagstone marker run {name!r} begins"
    return Answer(data, text)


def lines(found: Confidence) -> Iterator[str]:
    if found.baseline is None:
        return
    keeps = count_text(len(found.keeps), "keep")
    yield f"baseline {found.baseline:g} → best {found.best:g}, {keeps}, in experiment {found.home}"
    yield f"score of tccw: {score_text(found)}"
    yield f"decided by: {decision_text(found)}"
    yield f"  r0001  {found.baseline:.6g}  {one_line(found.baseline_evidence)}"
    for each in found.keeps:
        yield f"  {each.run}  {each.metric:.6g}  {evidence_text(each)}"


def score_text(found: Confidence) -> str:
    if found.score is not None:
        return f"{found.score:.2f} ({found.label})"
    if len(found.keeps) < 3:
        return f"unknown, because it needs 3 kept values and has {len(found.keeps)}"
    return "unknown, because the kept values do not lie apart"


def decision_text(found: Confidence) -> str:
    if found.decided_by == "one run":
        return "one run each, because noise is off: every strictly better number was kept"
    return "the noise rule; the score decided nothing"


def evidence_text(keep: Keep) -> str:
    times = f", measured {keep.runs} times" if keep.runs > 1 and not keep.pairs else ""
    return f"{one_line(keep.evidence)}{times}"
