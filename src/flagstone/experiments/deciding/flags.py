"""What a reader has to know beside a number: who says so, on how many seeds, and what is suspicious about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from flagstone.experiments.deciding.noise import varies
from flagstone.plans import MEASURED, Spec
from flagstone.statistics import deviation

SELF_REPORTED, ONE_SEED, SUSPICIOUS = "self-reported", "one seed", "suspicious"
HUGE = 10  # sd of the baseline


def standing_flags(spec: Spec, *, has_varied: bool) -> tuple[str, ...]:
    """What holds for every number of an experiment so far."""
    is_printed = spec.evaluate is None and spec.metric.name not in MEASURED
    is_untested = spec.noise is None or not has_varied
    return ((SELF_REPORTED,) if is_printed else ()) + ((ONE_SEED,) if is_untested else ())


def constant_text(ours: Sequence[float]) -> str:
    """What is suspicious of a candidate's repeats, where the baseline varies. Returns '' if nothing is."""
    return f"gave one value on {len(ours)} seeds" if len(ours) > 1 and not varies(ours) else ""


def huge_text(gain: float, baseline: Sequence[float]) -> str:
    """What is suspicious of a gain. Returns '' if nothing is, or the baseline did not vary."""
    sd = deviation(baseline) if len(baseline) > 1 and varies(baseline) else 0.0
    return f"gained {gain / sd:.3g} sd in one edit" if sd and gain >= HUGE * sd else ""


def touched_text(before: Mapping[str, bytes], after: Mapping[str, bytes], metric: str) -> str:
    """What is suspicious of an edit. Returns '' if it leaves every line alone that prints the metric."""
    prints = re.compile(
        rb"""(["'`]|\b(print|echo|write|log|puts)).*(?<![\w/])%b(?![\w/])""" % re.escape(metric.encode())
    )
    for path in {*before, *after}:
        old, new = (Counter(files.get(path, b"").splitlines()) for files in (before, after))
        if any(prints.search(line) for line in ((old - new) + (new - old))):
            return f"edits a line that prints {metric}"
    return ""


def suspicious_flags(reasons: Iterable[str]) -> tuple[str, ...]:
    found = [reason for reason in reasons if reason]
    return (f"{SUSPICIOUS}: {', '.join(found)}",) if found else ()


def is_suspicious(flags: Iterable[str]) -> bool:
    return any(flag.startswith(SUSPICIOUS) for flag in flags)


def flags_text(flags: Sequence[str]) -> str:
    """The flags as they stand beside a number. Returns '' if there are none."""
    return f" [{', '.join(flags)}]" if flags else ""
