"""What the paper of a campaign may not say if its trial supports nothing."""

from __future__ import annotations

import re

from flagstone.artifacts import RuleCheck
from flagstone.artifacts.rules import failed_check, passed_check
from flagstone.layout import Run
from flagstone.text import list_text, one_line
from flagstone.trials.campaign.asking import CampaignRecord
from flagstone.trials.campaign.outcome import campaign_outcome
from flagstone.trials.outcomes import Outcome

RULE = "paper-claims"
TOO_STRONG = re.compile(r"[^.\n]*\b[Ss]ignificantly\b[^.\n]*")


def claims_check(record: CampaignRecord) -> RuleCheck:
    """Fails if the paper speaks of a confirmed effect, and no idea was confirmed."""
    outcome = campaign_outcome(record)
    if outcome is Outcome.SUPPORTED:
        return passed_check(RULE, "an idea was confirmed, so the paper may say so")
    writing = Run(record.folder.base).workspace / "writing"
    paths = sorted(path for path in writing.rglob("*") if path.suffix in (".md", ".tex") and path.is_file())
    found = [
        f"{path.relative_to(writing)}: “{one_line(hit.group(), 160)}”"
        for path in paths
        for hit in TOO_STRONG.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    if not found:
        return passed_check(RULE, "the paper claims no confirmed effect")
    advice = f"the outcome is {outcome.value if outcome else 'open'}: give the number with its interval instead"
    return failed_check(RULE, f"{advice} in {list_text(found)}")
