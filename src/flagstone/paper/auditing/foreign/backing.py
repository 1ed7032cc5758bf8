"""Where a number of a paper could come from, and how likely a number taken at random would seem to come from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Literal

from flagstone.paper.auditing.foreign.paper_numbers import PaperNumber
from flagstone.paper.auditing.foreign.results import LONGEST_GROUP, Results

if TYPE_CHECKING:
    import numpy as np

NumberStatus = Literal["backed", "derivable", "constant", "unbacked"]
LARGEST_CONSTANT = 12
ROUND = {"20", "50", "90", "95", "99", "100", "1000"}
YEARS = range(1900, 2100)
MOST_VALUES = 400


@dataclass(frozen=True)
class TracedNumber:
    """`source` is where it was found; `chance` is how many of all numbers with these digits would be found too."""

    number: PaperNumber
    status: NumberStatus
    source: str = ""
    chance: float = 0.0


def traced_numbers(numbers: Sequence[PaperNumber], results: Results) -> list[TracedNumber]:
    """The status of each number."""
    pool = Pool.of(results.numbers)
    traced = [first_look(number, results, pool) for number in numbers]
    pools = (group_pool(results), derived_pool([each for each in traced if each.status == "backed"], pool))
    return [second_look(each, pools) if each.status == "unbacked" else each for each in traced]


def first_look(number: PaperNumber, results: Results, pool: Pool) -> TracedNumber:
    if is_constant(number):
        return TracedNumber(number, "constant", "a small or round number, or a year")
    source = pool.source_of(number)
    if source:
        return TracedNumber(number, "backed", source, pool.chance(number))
    if number.text.lstrip("-") in results.constants:
        return TracedNumber(number, "constant", "the code")
    return TracedNumber(number, "unbacked")


def second_look(traced: TracedNumber, pools: Iterable[Pool]) -> TracedNumber:
    for pool in pools:
        if source := pool.source_of(traced.number):
            return TracedNumber(traced.number, "derivable", source, pool.chance(traced.number))
    return traced


def is_constant(number: PaperNumber) -> bool:
    text = number.text.lstrip("-")
    return text.isdecimal() and (int(text) <= LARGEST_CONSTANT or text in ROUND or int(text) in YEARS)


class Pool:
    """Values with their sources, sorted; a paper may print each as it is or in per cent."""

    def __init__(self, values: np.ndarray, sources: Sequence[str]) -> None:
        import numpy as np

        order = np.argsort(values, kind="stable")
        self.values, self.sources = values[order], [sources[number] for number in order]
        self.shapes: dict[tuple[int, float], float] = {}

    @classmethod
    def of(cls, numbers: Mapping[float, str]) -> Pool:
        import numpy as np

        values = np.array(list(numbers), dtype=float)
        sources = list(numbers.values())
        return cls(np.concatenate([values, values * 100]), [*sources, *(f"{source} in per cent" for source in sources)])

    def source_of(self, number: PaperNumber) -> str:
        """The source of the nearest value that rounds to this number. Empty if there is none."""
        at = self.index_of(number)
        return self.sources[at] if at is not None else ""

    def index_of(self, number: PaperNumber) -> int | None:
        import numpy as np

        half = number.last_digit * (0.5 + 1e-6)
        first, last = np.searchsorted(self.values, (number.value - half, number.value + half))
        if first == last:
            return None
        return int(first + np.argmin(np.abs(self.values[first:last] - number.value)))

    def chance(self, number: PaperNumber) -> float:
        """The share of all numbers with as many digits before and after the point that a value rounds to."""
        import numpy as np

        whole = round(number.value / number.last_digit)
        digits = len(str(whole)) if number.value >= 1 or number.last_digit >= 1 else 0
        low = 10 ** (digits - 1) if digits > 1 else 0
        high = 10**digits if digits else round(1 / number.last_digit)
        shape = (digits, number.last_digit)
        if shape not in self.shapes:
            edges = ((low - 0.5) * number.last_digit, (high - 0.5) * number.last_digit)
            first, last = np.searchsorted(self.values, edges)
            hit = np.unique(np.rint(self.values[first:last] / number.last_digit))
            self.shapes[shape] = min(1.0, len(hit) / (high - low))
        return self.shapes[shape]


def group_pool(results: Results) -> Pool:
    """The mean and the standard deviation of each group, such as the values of all seeds."""
    found = {}
    for name, values in results.groups.items():
        if 2 <= len(values) <= LONGEST_GROUP:
            found[abs(fmean(values))] = f"the mean of the {len(values)} values of {name}"
            found[stdev(values)] = f"the sd of the {len(values)} values of {name}"
    return Pool.of(found)


def derived_pool(backed: Iterable[TracedNumber], pool: Pool) -> Pool:
    """Differences, ratios, percentages and means of two values that the paper prints."""
    import numpy as np

    found = [(each.number.text, pool.index_of(each.number)) for each in backed]
    values = {float(pool.values[at]): text for text, at in found if at is not None}
    named = list(values.items())[:MOST_VALUES]
    one = np.array([value for value, _ in named])
    a, b = np.meshgrid(one, one, indexing="ij")
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = {
            "{} - {}": a - b,
            "{} / {}": a / b,
            "100 · ({0} - {1}) / {1}": 100 * (a - b) / b,
            "the mean of {} and {}": (a + b) / 2,
        }
    texts = [text for _, text in named]
    sums, sources = [], []
    for way, table in ways.items():
        rows, columns = np.nonzero(np.isfinite(table) & ~np.eye(len(one), dtype=bool))
        sums.append(np.abs(table[rows, columns]))
        sources += [way.format(texts[row], texts[column]) for row, column in zip(rows, columns, strict=True)]
    return Pool(np.concatenate(sums) if named else np.array([]), sources)
