"""What every role of a campaign is told: the question, the code, and what was measured of it."""

from __future__ import annotations

import shlex

from flagstone.prompts import RoleParts
from flagstone.records import content_of
from flagstone.trials.campaign.asking import Campaign

SHOWN_BYTES = 60_000  # of the sources in a prompt


def parts_of(campaign: Campaign, number: int) -> RoleParts:
    """What every role is told. The log of ideas is not part of it: only those who have ideas read it."""
    spec = campaign.spec
    metric = spec.experiment.metric
    return RoleParts(
        number=number,
        attempts=spec.ideas,
        question=spec.question,
        metric=metric.name,
        wanted="lower" if metric.direction == "min" else "higher",
        mutable="\n".join(spec.experiment.subject.mutable),
        argv=shlex.join(spec.experiment.harness.argv),
        largest_change=spec.largest_change,
        sources=sources_text(campaign),
        baseline=(content_of(campaign.folder.baseline) or b"").decode("utf-8", "replace"),
    )


def sources_text(campaign: Campaign) -> str:
    """The mutable files of the baseline, one after the other, as far as they fit."""
    files = sorted(campaign.subject.files(campaign.base.tree).items())
    text = "\n".join(f"=== {path} ===\n{content.decode('utf-8', 'replace')}" for path, content in files)
    return text if len(text) <= SHOWN_BYTES else f"{text[:SHOWN_BYTES]}\n[the rest is left out]"
