"""The course of an experiment as a picture: every candidate, its verdict, and the best so far."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import isfinite
from pathlib import Path
from statistics import mean, quantiles, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from flagstone.experiments.ledger import LedgerRow, entries_of, rows_of
from flagstone.plans import Home, Spec
from flagstone.records import write_atomic
from flagstone.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 1500  # runs from which on points are drawn small
FEW = 1000  # points of one kind up to which each is a shape of its own, and not part of one bitmap in the picture
# Okabe and Ito's colours, which colour-blind people tell apart; shapes say the same again
WITH_NUMBER: dict[str, tuple[str, str, float]] = {
    "kept": ("o", "#009E73", 42),
    "discarded": (".", "#8A8A8A", 26),
    "broke a constraint": ("s", "#E69F00", 20),
}
WITHOUT_NUMBER: dict[str, tuple[str, str]] = {
    "crashed": ("x", "#D55E00"),
    "timed out": ("+", "#CC79A7"),
    "violation": ("v", "#0072B2"),
    "no number": ("d", "#E69F00"),
    "interrupted": ("|", "#000000"),
}
FAILED = {"crash": "crashed", "unclean": "crashed", "timeout": "timed out", "interrupted": "interrupted"}
BEST = "#0072B2"
BAND = "#56B4E9"
PICTURE_SETTINGS: Any = {
    "svg.hashsalt": "flagstone",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Point(NamedTuple):
    """One candidate as the picture needs it: a row of the table beside it."""

    number: int
    run_id: str
    kind: str
    value: float | None
    best_value: float | None
    parent_run: str
    status: str
    verdict: str

    @property
    def y(self) -> float | None:
        """The height in the picture. Returns None if the candidate has no number."""
        return self.value if self.kind in WITH_NUMBER else None


def point_of(row: LedgerRow) -> Point:
    kind = kind_of(row)
    best = row.best_value
    return Point(row.number, row.run_id, kind, row.value, best, row.parent_run, row.status, row.verdict)


def kind_of(entry: LedgerRow) -> str:
    """The verdict on a candidate, in the words of the picture."""
    if entry.status in FAILED or entry.status == "violation":
        return FAILED.get(entry.status, "violation")
    if entry.value is None or not isfinite(entry.value):
        return "no number"
    if entry.improved:
        return "kept"
    return "discarded" if entry.valid else "broke a constraint"


def draw(home: Home, spec: Spec, target: Path) -> None:
    """Writes a ledger as a picture (SVG), and beside it the numbers in it (CSV). The same runs give the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = [point_of(row) for row in rows_of(home.ledger)]
    failures = [kind for kind in WITHOUT_NUMBER if any(point.kind == kind for point in points)]
    with mpl.rc_context(PICTURE_SETTINGS):
        figure = Figure(figsize=(8, 4.2 + 0.2 * len(failures)), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        heights = [4.0, 0.2 * len(failures)] if failures else [1.0]
        above, *below = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        draw_numbers(above, points, baseline_of(home), spec)
        for axes in below:
            draw_failures(axes, points, failures)
        (below or [above])[-1].set_xlabel("run")
        content = io.BytesIO()
        about = {"Date": None, "Creator": None, "Title": f"Progress of {spec.name}"}
        figure.savefig(content, format="svg", metadata=about)
    write_atomic(target, content.getvalue(), durable=False)
    write_atomic(target.with_suffix(".csv"), table(points), durable=False)


def draw_numbers(axes: Axes, points: Sequence[Point], baseline: Sequence[float], spec: Spec) -> None:
    """Every candidate that has a number, over the band of the baseline and under the best so far."""
    from matplotlib.ticker import MaxNLocator

    shown = limits(points, baseline)
    axes.set_ylim(shown)
    axes.set_xlim(0.5, (points[-1].number if points else 1) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    draw_band(axes, baseline)
    draw_best(axes, points, min if spec.metric.direction == "min" else max)
    draw_points(axes, points, shown)
    better = "less" if spec.metric.direction == "min" else "more"
    axes.set_ylabel(f"{picture_text(spec.metric.name)} ({better} is better)")
    axes.set_title(picture_text(f"{spec.name}: {spec.goal}"), loc="left", fontsize=9)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def draw_failures(axes: Axes, points: Sequence[Point], failures: Sequence[str]) -> None:
    """Candidates without a number, in a row for each way to fail: they have no place on the axis of numbers."""
    labels = []
    for row, kind in enumerate(failures):
        own = [point.number for point in points if point.kind == kind]
        labels.append(f"{kind} ({len(own)})")
        marker, colour = WITHOUT_NUMBER[kind]
        size, is_bitmap = (22, False) if len(points) < MANY else (7, len(own) > FEW)
        axes.scatter(own, [row] * len(own), marker=marker, s=size, c=colour, linewidths=0.9, rasterized=is_bitmap)
    axes.set_yticks(range(len(failures)), labels)
    axes.tick_params(axis="y", length=0)
    axes.yaxis.tick_right()
    axes.set_ylim(len(failures) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)


def picture_text(text: str, longest: int = 90) -> str:
    """Words for a picture: no mathematics between dollar signs, no lines, not too long."""
    return one_line(text, longest).replace("$", r"\$")


def limits(points: Sequence[Point], baseline: Sequence[float]) -> tuple[float, float]:
    """The range of numbers that is shown: all that was kept, and nearly all others; a few far off do not decide."""
    values = sorted(point.y for point in points if point.y is not None)
    if not values:
        return 0.0, 1.0
    shown = [point.y for point in points if point.kind == "kept" and point.y is not None]
    shown += baseline
    if len(values) >= 8:
        lower, middle, upper = quantiles(values, n=4)
        reach = 3 * max(upper - lower, abs(middle) * 1e-9)
        shown += [value for value in values if lower - reach <= value <= upper + reach]
    else:
        shown += values
    low, high = min(shown), max(shown)
    room = (high - low) * 0.06 or abs(high) * 0.01 or 0.01
    return low - room, high + room


def baseline_of(home: Home) -> list[float]:
    """The values of the unedited files."""
    first = next(entries_of(home.ledger), None)
    measured = first.measurements if first and first.is_baseline else ()
    return [each.value for each in measured if each.value is not None and isfinite(each.value)]


def draw_band(axes: Axes, values: Sequence[float]) -> None:
    """What the unedited files varied by."""
    if len(values) < 2 or not stdev(values):
        return
    middle, sd = mean(values), stdev(values)
    axes.axhspan(middle - sd, middle + sd, color=BAND, alpha=0.25, lw=0, label=f"baseline ± sd ({len(values)} runs)")


def draw_best(axes: Axes, points: Sequence[Point], better: Callable[[float, float], float]) -> None:
    """The line of the best. It never steps back: on one seed a gain may look like a loss, which its pairs refute."""
    kept = [each for each in points if each.kind == "kept" and each.best_value is not None]
    if not kept:
        return
    heights = list(accumulate((each.best_value or 0.0 for each in kept), better))
    x, y = [*(each.number for each in kept), points[-1].number], [*heights, heights[-1]]
    axes.plot(x, y, drawstyle="steps-post", color=BEST, lw=1.6, label="best so far", zorder=3)


def draw_points(axes: Axes, points: Sequence[Point], shown: tuple[float, float]) -> None:
    """Each kind with its own shape; what is outside is drawn at the edge as an arrow."""
    low, high = shown
    for kind, (marker, colour, size) in WITH_NUMBER.items():
        own = [(point.number, point.y) for point in points if point.kind == kind and point.y is not None]
        places = (
            ([pair for pair in own if low <= pair[1] <= high], marker, ""),
            ([(x, high) for x, y in own if y > high], "^", ", above"),
            ([(x, low) for x, y in own if y < low], "v", ", below"),
        )
        for pairs, shape, where in places:
            if pairs:
                axes.scatter(
                    *columns(pairs),
                    marker=shape,
                    label=f"{kind}{where} ({len(pairs)})",
                    s=size if len(points) < MANY else size / 3,
                    c=colour,
                    linewidths=0.9,
                    zorder=4 if kind == "kept" else 2,
                    rasterized=len(pairs) > FEW,
                    clip_on=not where,
                )


def columns(pairs: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def table(points: Sequence[Point]) -> bytes:
    """The numbers in the picture."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((Point._fields, *points))
    return text.getvalue().encode()
