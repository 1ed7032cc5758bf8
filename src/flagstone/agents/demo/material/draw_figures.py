"""Draws the study's three figures as PDF and PNG, and writes the table that each one shows beside it."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLUMN_INCHES = 3.3
ARM_COLOURS = {"constant": "#D55E00", "warmup": "#0072B2"}  # Okabe and Ito: safe for colour-blind readers
ARM_NAMES = {"constant": "constant rate", "warmup": "warm-up"}
CLASS_MARKS = (("o", "#0072B2"), ("s", "#E69F00"), ("^", "#009E73"))
STYLE: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def save(figure: Figure, out: Path, name: str) -> None:
    """Both formats without dates or versions: the same data gives the same bytes."""
    figure.savefig(out / f"{name}.pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
    figure.savefig(out / f"{name}.png", dpi=200, metadata={"Software": None})
    plt.close(figure)


def draw_setting(design: dict[str, Any], data: Path, out: Path) -> None:
    """What the network sees, and the two schedules that it is trained with."""
    points = read_rows(data / "train.csv")
    figure, (left, right) = plt.subplots(1, 2, figsize=(COLUMN_INCHES, 1.6), layout="constrained")
    for kind, (mark, colour) in enumerate(CLASS_MARKS):
        own = [point for point in points if int(point["label"]) == kind]
        x1, x2 = ([float(point[axis]) for point in own] for axis in ("x1", "x2"))
        left.plot(x1, x2, mark, color=colour, markersize=1.6, markeredgewidth=0, alpha=0.8)
    left.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    training = design["training"]
    steps, peak, climb = training["steps"], training["peak_rate"], training["warmup_steps"]
    lines = {
        "constant": ([0, steps], [peak, peak], "-"),
        "warmup": ([0, climb, steps], [0, peak, peak], "--"),
    }
    for arm, (at, rates, dashes) in lines.items():
        right.plot(at, rates, dashes, color=ARM_COLOURS[arm], label=ARM_NAMES[arm])
    right.set(xlabel="step", ylabel="learning rate", ylim=(0, 1.15 * peak), xlim=(0, steps))
    right.legend(loc="lower right")
    save(figure, out, "setting")
    write_rows(out / "setting.csv", [{"x1": p["x1"], "x2": p["x2"], "label": p["label"]} for p in points])


def curves(results: Path) -> list[dict[str, Any]]:
    """Every point of every run's curve, in the order of runs.csv."""
    found = []
    for run in read_rows(results / "runs.csv"):
        if run["status"] == "crash":  # it left no series of its own
            continue
        path = results / run["experiment"] / run["arm"] / f"seed-{run['seed']}" / "series.csv"
        head = {"experiment": run["experiment"], "arm": run["arm"], "seed": run["seed"]}
        found += [{**head, "step": row["step"], "test_loss": row["test_loss"]} for row in read_rows(path)]
    return found


def draw_arm(axes: Axes, points: list[dict[str, Any]], arm: str, worst: float) -> None:
    """Every seed thin, their mean thick; a run that left the range stands at its edge."""
    own = [point for point in points if point["arm"] == arm]
    steps = sorted({int(point["step"]) for point in own})
    by_step: dict[int, list[float]] = {step: [] for step in steps}
    for seed in sorted({int(point["seed"]) for point in own}):
        mine = [point for point in own if int(point["seed"]) == seed]
        line = [(int(point["step"]), float(point["test_loss"])) for point in mine]
        losses = [loss if np.isfinite(loss) else worst for _, loss in line]
        axes.plot([step for step, _ in line], losses, color=ARM_COLOURS[arm], linewidth=0.5, alpha=0.4)
        for (step, _), loss in zip(line, losses, strict=True):
            by_step[step].append(loss)
    axes.plot(steps, [np.mean(by_step[step]) for step in steps], color=ARM_COLOURS[arm], linewidth=1.8)
    axes.set_title(ARM_NAMES[arm])
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def draw_curves(design: dict[str, Any], results: Path, out: Path) -> None:
    points, worst = curves(results), design["rule"]["failed_run_counts_as"]
    figure, axes = plt.subplots(1, 2, figsize=(COLUMN_INCHES, 1.9), sharey=True, layout="constrained")
    for place, arm in zip(axes, ARM_NAMES, strict=True):
        draw_arm(place, points, arm, worst)
    finite = [float(point["test_loss"]) for point in points if np.isfinite(float(point["test_loss"]))]
    axes[0].set_ylim(0.0, 1.05 * min(max([*finite, worst]), 2.0 * worst))
    axes[0].set_ylabel("test loss (nats)")
    save(figure, out, "curves")
    write_rows(out / "curves.csv", points)


def draw_differences(analysis: dict[str, Any], rows: list[dict[str, str]], out: Path) -> None:
    """One point a seed, then the mean with its interval, against nothing and the minimum effect."""
    primary = analysis["primary"]
    heights = np.arange(len(rows), 0, -1)
    values = [float(row["difference"]) for row in rows]
    figure, axes = plt.subplots(figsize=(COLUMN_INCHES, 0.9 + 0.13 * len(rows)), layout="constrained")
    axes.axvline(0.0, color="#888888", linewidth=0.6)
    axes.axvline(
        analysis["minimum_effect"],
        color="#009E73",
        linewidth=0.8,
        linestyle=":",
        label="minimum effect of interest",
    )
    colours = [ARM_COLOURS["warmup" if each > 0.0 else "constant"] for each in values]
    axes.hlines(heights, 0.0, values, color=colours, linewidth=0.8)
    axes.scatter(values, heights, c=colours, s=12, zorder=3)
    low, high = primary["interval_95"]
    mean = primary["difference"]
    axes.errorbar(
        [mean],
        [-0.4],
        xerr=[[mean - low], [high - mean]],
        fmt="D",
        color="black",
        markersize=4,
        capsize=3,
        linewidth=1.2,
    )
    axes.set_yticks([*heights, -0.4], [*(row["seed"] for row in rows), "mean"])
    axes.set(ylabel="seed", xlabel="test loss, constant minus warm-up (nats)", ylim=(-1.2, len(rows) + 0.8))
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.0)
    save(figure, out, "differences")
    write_rows(out / "differences.csv", rows)


def listing(experiment: str) -> list[dict[str, Any]]:
    """One entry for each file: the same figure stands there for print and for the screen."""
    about = {
        "setting": (
            "training points of the three classes, and both learning-rate schedules",
            "data/train.csv",
        ),
        "curves": ("test loss against step for every run of both arms, and their mean", "results/runs.csv"),
        "differences": (
            "constant minus warm-up in test loss by seed, and their mean",
            "results/per_seed.csv",
        ),
    }
    return [
        {
            "file": f"workspace/figures/{name}.{ending}",
            "experiment": experiment,
            "data": [f"workspace/figures/{name}.csv"],
            "sources": [f"workspace/{source}"],
            "script": "workspace/code/draw_figures.py",
            "caption": caption,
            "status": "preregistered",
        }
        for name, (caption, source) in about.items()
        for ending in ("pdf", "png")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    analysis = json.loads((arguments.results / "analysis.json").read_text(encoding="utf-8"))
    pairs = read_rows(arguments.results / "per_seed.csv")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        draw_setting(design, arguments.data, arguments.out)
        draw_curves(design, arguments.results, arguments.out)
        draw_differences(analysis, pairs, arguments.out)
    text = json.dumps({"figures": listing(design["experiment"])}, indent=1) + "\n"
    (arguments.out / "figures.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
