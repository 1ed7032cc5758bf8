"""How long the files that may change are, for keeping the shorter of two candidates with an equal number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flagstone.statistics import deviation


def line_count(files: Mapping[str, bytes]) -> int:
    """The lines that are not blank."""
    return sum(bool(line.strip()) for content in files.values() for line in content.splitlines())


def shorter_text(best: Mapping[str, bytes], ours: Mapping[str, bytes]) -> str:
    """By how much our files are shorter than those of the best, in words. Returns '' if they are not."""
    before, after = line_count(best), line_count(ours)
    if after >= before:
        return ""
    less = before - after
    return f"with {less} line{'' if less == 1 else 's'} less ({before} → {after})"


def largest_loss(known: Sequence[float], lost: float) -> float:
    """How much worse a number may be and still count as equal: one standard deviation of the best's own values.

    What equal numbers have lost since the last gain is taken off, so that many small losses do not add up.
    """
    return max(deviation(known) - lost, 0.0) if len(known) > 1 else 0.0
