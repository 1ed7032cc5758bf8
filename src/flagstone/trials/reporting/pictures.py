"""The two pictures of a trial: the pairs of a confirmation, and the improvement of every idea with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from flagstone.plans import MetricSpec
from flagstone.text import one_line
from flagstone.trials.outcomes import Confirmation, IdeaOutcome, Outcome, Pair
from flagstone.trials.reporting.drawing import (
    BLACK,
    Axis,
    cross,
    diamond,
    dot,
    horizontal_axis,
    line,
    picture,
    vertical_axis,
    words,
)

# Okabe and Ito's colours, which colour-blind people tell apart
CONTROL, TREATED, SEED, SCREENED = "#0072B2", "#D55E00", "#5A5A5A", "#A8A8A8"
MINIMUM = "#009E73"
LONGEST_NAME, LONGEST_IDEA, LONGEST_TITLE = 30, 44, 90
MOST_NAMED = 16
WIDTH, TOP, ROW = 850, 66, 42  # px; ROW of the forest
BOTTOM = 280  # of the pairs


@dataclass(frozen=True)
class Frame:
    """What both pictures say beside their points."""

    title: str
    metric: MetricSpec
    minimum_effect: float

    @property
    def name(self) -> str:
        return one_line(self.metric.name, LONGEST_NAME)

    @property
    def improvement_label(self) -> str:
        return f"improvement of {self.name}\n(right of 0 is better)"


def pairs_picture(frame: Frame, found: Confirmation) -> bytes:
    """Every seed a dot, the runs of a pair joined; beside it the improvements, their mean, interval and bounds."""
    parts = [*run_parts(frame, found.pairs), *improvement_parts(frame, found)]
    return picture((WIDTH, BOTTOM + 120), one_line(frame.title, LONGEST_TITLE), parts)


def run_parts(frame: Frame, pairs: Sequence[Pair]) -> Iterator[str]:
    runs = [run for pair in pairs for run in (pair.control, pair.treated) if run is not None]
    axis, places = Axis.around(runs, BOTTOM, TOP), (150.0, 290.0)
    for pair in pairs:
        both = zip(places, (pair.control, pair.treated), strict=True)
        ends = [(x, axis.place(run)) for x, run in both if run is not None]
        if len(ends) == 2:
            yield line(ends[0], ends[1], SCREENED, 1.2)
        yield from (dot(x, y, CONTROL if x == places[0] else TREATED) for x, y in ends)
    yield line((100, BOTTOM), (330, BOTTOM), BLACK, 0.8)
    for arm, x in zip(("control", "treated"), places, strict=True):
        failed = sum(pair.status in (f"{arm} failed", "both failed") for pair in pairs)
        yield words(x, BOTTOM + 17, f"{arm}\n({failed} failed)" if failed else arm, "middle")
    better = "less" if frame.metric.direction == "min" else "more"
    yield from vertical_axis(axis, 100, f"{frame.name}\n({better} is better)")


def improvement_parts(frame: Frame, found: Confirmation) -> Iterator[str]:
    rows = [(pair, pair.improvement) for pair in found.pairs if pair.improvement is not None]
    ends = [each for each in (found.mean, found.ci_low, found.ci_high) if each is not None and isfinite(each)]
    axis = Axis.around([0.0, frame.minimum_effect, *(value for _, value in rows), *ends], 410, WIDTH - 20)
    height = (BOTTOM - TOP - 20) / (len(rows) + 1)
    yield from bound_parts(frame, axis, BOTTOM)
    for row, (pair, improvement) in enumerate(rows):
        y = TOP + 10 + height * row
        yield (dot if pair.status == "ok" else cross)(axis.place(improvement), y, SEED)
        if row % (1 + len(rows) // MOST_NAMED) == 0:  # more names would lie on top of each other
            yield words(axis.start - 8, y + 4, pair.slot, "end")
    if found.mean is not None:
        yield from interval_parts(axis, BOTTOM - 14, found)
    yield words(axis.start - 8, BOTTOM - 10, f"mean of {found.n}", "end")
    crosses = "cross: a run of the pair failed\n" if any(pair.status != "ok" for pair, _ in rows) else ""
    yield from horizontal_axis(axis, BOTTOM, f"{frame.improvement_label}\n{crosses}{effect_text(found)}")


def effect_text(found: Confirmation) -> str:
    """The interval and the effect size, as far as they are defined."""
    words = [f"n = {found.n}"]
    if found.mean is not None and found.ci_low is not None and found.ci_high is not None:
        words.append(f"mean {found.mean:.4g}, 95 % interval {found.ci_low:.4g} to {found.ci_high:.4g}")
    if found.g is not None and found.g_low is not None and found.g_high is not None:
        words.append(f"g {found.g:.2f} ({found.g_low:.2f} to {found.g_high:.2f})")
    return ", ".join(words[:2]) + "".join(f",\n{word}" for word in words[2:])


def forest_picture(frame: Frame, ideas: Sequence[IdeaOutcome]) -> bytes:
    """A row an idea: its confirmation with the interval, or, in grey, what a few seeds said; with n and the outcome."""
    bottom = TOP + ROW * max(1, len(ideas))
    axis = Axis.around([0.0, frame.minimum_effect, *(each for idea in ideas for each in numbers_of(idea))], 300, 650)
    parts = [*bound_parts(frame, axis, bottom)]
    for row, idea in enumerate(ideas):
        parts += idea_parts(axis, TOP + ROW * (row + 0.5), idea)
    parts += horizontal_axis(axis, bottom, f"{frame.improvement_label}; grey: not confirmed")
    return picture((WIDTH, bottom + 62), one_line(frame.title, LONGEST_TITLE), parts)


def numbers_of(idea: IdeaOutcome) -> Iterator[float]:
    found, few = idea.confirmation, idea.few_seeds
    if found is not None and found.mean is not None:
        ends = (found.mean, found.ci_low, found.ci_high)
        yield from (each for each in ends if each is not None and isfinite(each))
    elif few is not None and few.mean is not None:
        yield few.mean


def idea_parts(axis: Axis, y: float, idea: IdeaOutcome) -> Iterator[str]:
    found, few, n = idea.confirmation, idea.few_seeds, 0
    if found is not None and found.mean is not None:
        yield from interval_parts(axis, y, found)
        n = found.n
    elif few is not None and few.mean is not None:
        yield diamond(axis.place(few.mean), y, SCREENED)
        n = few.n
    is_strong = idea.outcome in (Outcome.SUPPORTED, Outcome.PROCEED)
    text = f"{idea.outcome}" + (f", n = {n}" if n else "")
    yield words(axis.end + 12, y + 4, text, style='font-weight="bold"' if is_strong else "")
    yield words(axis.start - 8, y + 4, one_line(idea.title or idea.arm, LONGEST_IDEA), "end")


def interval_parts(axis: Axis, y: float, found: Confirmation) -> Iterator[str]:
    low, mean, high = found.ci_low, found.mean, found.ci_high
    assert mean is not None
    if low is not None and high is not None and isfinite(low) and isfinite(high):
        yield line((axis.place(low), y), (axis.place(high), y), TREATED, 3)
    yield diamond(axis.place(mean), y, TREATED)


def bound_parts(frame: Frame, axis: Axis, bottom: float) -> Iterator[str]:
    """No effect and the minimum effect, as lines from above to below."""
    zero, least = axis.place(0), axis.place(frame.minimum_effect)
    yield line((zero, TOP), (zero, bottom), BLACK, 1)
    yield line((least, TOP), (least, bottom), MINIMUM, 1.4, "6 3")
    text = f"minimum effect {frame.minimum_effect:.4g}"
    yield words(least, TOP - 8, text, "middle", f'fill="{MINIMUM}" font-size="11"')
