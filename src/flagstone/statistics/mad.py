"""How far the best is from the baseline, as a multiple of how far the kept values lie apart: a hint, and no test."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import median

ENOUGH_KEPT = 3
TO_SD = 1.4826  # the median deviation of normal noise, times this, is its sd
HIGH, MEDIUM = 2.0, 1.0


def mad_confidence(baseline: float, current: float, kept: Sequence[float]) -> tuple[float | None, str]:
    """The multiple and its word. Returns None and UNKNOWN if too few values were kept, or they do not differ."""
    if len(kept) < ENOUGH_KEPT or not all(map(isfinite, (baseline, current, *kept))):
        return None, "UNKNOWN"
    middle = median(kept)
    apart = TO_SD * median(abs(value - middle) for value in kept)
    # Values that are equal say nothing about noise: a division by nothing would call it certain.
    if not apart or not isfinite(multiple := abs(current - baseline) / apart):
        return None, "UNKNOWN"
    return multiple, "HIGH" if multiple >= HIGH else "MEDIUM" if multiple >= MEDIUM else "LOW"
