"""What stands after a ±, held against the values of the seeds that the mean before it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import fmean, pstdev, stdev

from flagstone.paper.auditing.foreign.results import LONGEST_GROUP, Results

SPREAD = re.compile(r"(-?\d+(?:\.\d+)?)\s?%?\s?(?:±|\+/-|\+-)\s?(\d+(?:\.\d+)?)")


def spread_findings(pages: Sequence[str], results: Results) -> Iterator[str]:
    """One sentence for each ± that is not the standard deviation of its seeds."""
    groups = [(name, values) for name, values in results.groups.items() if values]
    for number, text in enumerate(pages, start=1):
        for found in SPREAD.finditer(text):
            said = finding(found[1], found[2], groups)
            if said:
                yield f"page {number}: “{' '.join(found[0].split())}”: {said}"


def finding(mean: str, spread: str, groups: Sequence[tuple[str, list[float]]]) -> str:
    """What is odd about one ±. Empty if a group of seeds has this mean and this standard deviation."""
    scaled = [(name, [value * scale for value in values]) for name, values in groups for scale in (1, 100)]
    fitting = [(name, values) for name, values in scaled if rounds_to(fmean(values), mean)]
    several = [(name, values) for name, values in fitting if 2 <= len(values) <= LONGEST_GROUP]
    if not several:
        single = next((name for name, values in fitting if len(values) == 1), "")
        return f"n = 1: the results have one value with this mean, {single}; one value has no spread" if single else ""
    named = [spread_name(values, spread) for _, values in several]
    if "sd" in named:
        return ""
    name, values = several[0]
    known = next((each for each in named if each), "")
    said = f"this is {known} of" if known else "this is neither the sd nor the standard error of"
    return f"{said} the {len(values)} values of {name}, whose sd is {stdev(values):.4g}"


def spread_name(values: Sequence[float], spread: str) -> str:
    sd, n = stdev(values), len(values)
    names = {
        "sd": sd,
        "the standard error": sd / sqrt(n),
        "the sd with divisor n": pstdev(values),
        "the sd divided by n": sd / n,
        "the sd with divisor n, divided by n,": pstdev(values) / n,
    }
    return next((name for name, value in names.items() if rounds_to(value, spread)), "")


def rounds_to(value: float, text: str) -> bool:
    last = 10.0 ** -len(text.partition(".")[2])
    return abs(abs(value) - abs(float(text))) <= last * (0.5 + 1e-6)
