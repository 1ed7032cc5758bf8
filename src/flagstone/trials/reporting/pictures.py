"""The two pictures of a trial: the pairs of a confirmation, and the improvement of every idea with its interval."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from flagstone.experiments.reporting import PICTURE_SETTINGS, picture_text
from flagstone.plans import MetricSpec
from flagstone.text import one_line
from flagstone.trials.outcomes import Confirmation, IdeaOutcome, Outcome, Pair

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind people tell apart
CONTROL, TREATED, SEED, SCREENED = "#0072B2", "#D55E00", "#5A5A5A", "#A8A8A8"
MINIMUM = "#009E73"
LONGEST_NAME = 30
MOST_NAMED = 16


@dataclass(frozen=True)
class Frame:
    """What both pictures say beside their points."""

    title: str
    metric: MetricSpec
    minimum_effect: float

    @property
    def improvement_label(self) -> str:
        return f"improvement of {picture_text(self.metric.name, LONGEST_NAME)}\n(right of 0 is better)"


def pairs_picture(frame: Frame, found: Confirmation) -> bytes:
    """Every seed a dot, the runs of a pair joined; beside it the improvements, their mean, interval and bounds."""
    with mpl_settings():
        figure = new_figure(8.5, 3.6)
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
        draw_runs(left, frame, found.pairs)
        draw_improvements(right, frame, found)
        figure.suptitle(picture_text(frame.title), x=0.01, ha="left", fontsize=9)
        return svg_of(figure, frame.title)


def draw_runs(axes: Axes, frame: Frame, pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        ends = [(x, value) for x, value in ((0, pair.control), (1, pair.treated)) if value is not None]
        if len(ends) == 2:
            axes.plot([x for x, _ in ends], [value for _, value in ends], color=SCREENED, lw=0.9, zorder=1)
        for x, value in ends:
            axes.scatter([x], [value], s=26, color=TREATED if x else CONTROL, zorder=2)
    failed = [sum(pair.status in (f"{arm} failed", "both failed") for pair in pairs) for arm in ("control", "treated")]
    names = [
        f"{arm}\n({count} failed)" if count else arm for arm, count in zip(("control", "treated"), failed, strict=True)
    ]
    axes.set_xticks([0, 1], names)
    axes.set_xlim(-0.4, 1.4)
    better = "less" if frame.metric.direction == "min" else "more"
    axes.set_ylabel(f"{picture_text(frame.metric.name, LONGEST_NAME)}\n({better} is better)")


def draw_improvements(axes: Axes, frame: Frame, found: Confirmation) -> None:
    rows = [(pair, pair.improvement) for pair in found.pairs if pair.improvement is not None]
    for row, (pair, improvement) in enumerate(rows):
        axes.scatter([improvement], [row], s=24, color=SEED, marker="o" if pair.status == "ok" else "x", zorder=3)
    draw_lines(axes, frame)
    below = len(rows) + 0.6
    if found.mean is not None:
        draw_interval(axes, below, found.mean, (found.ci_low, found.ci_high), TREATED)
    named = range(0, len(rows), 1 + len(rows) // MOST_NAMED)  # more names would lie on top of each other
    axes.set_yticks([*named, below], [*(rows[row][0].slot for row in named), f"mean of {found.n}"])
    axes.set_ylim(below + 0.8, -0.8)
    cross = "cross: a run of the pair failed\n" if any(pair.status != "ok" for pair, _ in rows) else ""
    axes.set_xlabel(f"{frame.improvement_label}\n{cross}{effect_text(found)}")


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
    with mpl_settings():
        figure = new_figure(8.5, 1.5 + 0.5 * max(1, len(ideas)))
        axes = figure.subplots()
        draw_lines(axes, frame)
        for row, idea in enumerate(ideas):
            draw_idea(axes, row, idea)
        axes.set_yticks(range(len(ideas)), [picture_text(idea.title or idea.arm, 44) for idea in ideas])
        axes.set_ylim(len(ideas) - 0.4, -0.6)
        axes.set_xlabel(f"{frame.improvement_label}; grey: not confirmed")
        figure.suptitle(picture_text(frame.title), x=0.01, ha="left", fontsize=9)
        return svg_of(figure, frame.title)


def draw_idea(axes: Axes, row: int, idea: IdeaOutcome) -> None:
    found, few, n = idea.confirmation, idea.few_seeds, 0
    if found is not None and found.mean is not None:
        draw_interval(axes, row, found.mean, (found.ci_low, found.ci_high), TREATED)
        n = found.n
    elif few is not None and few.mean is not None:
        axes.scatter([few.mean], [row], s=30, color=SCREENED, marker="D", zorder=3)
        n = few.n
    words = f"{idea.outcome}" + (f", n = {n}" if n else "")
    strength = "bold" if idea.outcome in (Outcome.SUPPORTED, Outcome.PROCEED) else "normal"
    axes.text(1.01, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=8, fontweight=strength)


def draw_interval(axes: Axes, row: float, mean: float, ends: tuple[float | None, float | None], colour: str) -> None:
    low, high = ends
    if low is not None and high is not None and isfinite(low) and isfinite(high):
        axes.plot([low, high], [row, row], color=colour, lw=2.2, zorder=2)
    axes.scatter([mean], [row], s=42, color=colour, marker="D", zorder=4)


def draw_lines(axes: Axes, frame: Frame) -> None:
    axes.axvline(0, color="black", lw=0.8)
    axes.axvline(frame.minimum_effect, color=MINIMUM, lw=1.1, ls="--")
    label, above = f"minimum effect {frame.minimum_effect:.4g}", axes.get_xaxis_transform()
    axes.text(frame.minimum_effect, 1.01, label, transform=above, color=MINIMUM, fontsize=7.5, ha="center")


def mpl_settings() -> Any:
    import matplotlib as mpl

    return mpl.rc_context(PICTURE_SETTINGS)


def new_figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def svg_of(figure: Figure, title: str) -> bytes:
    """The same numbers give the same bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None, "Title": one_line(title, 90)})
    return content.getvalue()
