"""Draws the study's figures as PDF and PNG, and writes the table that each one shows beside it."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLUMN_INCHES, PAGE_INCHES = 3.3, 6.9
# Okabe and Ito's colours, which colour-blind readers can tell apart; and a mark for each arm besides
LOOKS = {
    "plain": ("#555555", "o"),
    "mixup": ("#0072B2", "s"),
    "averaging": ("#009E73", "^"),
    "clipping": ("#D55E00", "v"),
    "look-ahead": ("#CC79A7", "D"),
}
WRONG = "#D55E00"
CONDITIONS = {"noisy": "one label in five wrong", "clean": "every label right"}
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
Rows = list[dict[str, Any]]
HERE = Path()  # where a paper's figure is drawn, alone and as PDF only


def read_rows(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def save(figure: Figure, out: Path, name: str, rows: Rows) -> None:
    """Both formats without dates or versions, so that the same data gives the same bytes; and the data."""
    figure.savefig(out / f"{name}.pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
    if out != HERE:
        figure.savefig(out / f"{name}.png", dpi=200, metadata={"Software": None})
    plt.close(figure)
    with (out / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def draw_images(design: dict[str, Any], data: Path, out: Path) -> None:
    """The first images of the first training set, with the labels that the network is given."""
    digits = np.loadtxt(data / "digits.csv", delimiter=",", skiprows=1)
    sets = [row for row in read_rows(data / "training_sets.csv") if int(row["seed"]) == design["seeds"][0]][:16]
    figure, axes = plt.subplots(2, 8, figsize=(COLUMN_INCHES, 1.25), layout="constrained")
    for place, row in zip(axes.flat, sets, strict=True):
        is_wrong = row["given_label"] != row["true_label"]
        place.imshow(digits[int(row["image"]), :64].reshape(8, 8), cmap="gray_r", interpolation="nearest")
        place.set_title(
            f"“{row['given_label']}” ✗" if is_wrong else f"“{row['given_label']}”",
            color=WRONG if is_wrong else "black",
            fontfamily="DejaVu Sans",
            fontsize=7,
            pad=2,
        )
        place.set(xticks=[], yticks=[])
        for spine in place.spines.values():
            spine.set(visible=True, color=WRONG if is_wrong else "#999999", linewidth=1.4 if is_wrong else 0.5)
    save(figure, out, "images", [{"experiment": design["experiment"], **row} for row in sets])


def curves(results: Path) -> Rows:
    """Every point of the curve of every run with wrong labels, in the order of runs.csv."""
    found = []
    for run in read_rows(results / "runs.csv"):
        if run["role"] != "confirmation" or run["status"] == "crash":  # a crash left no curve of its own
            continue
        head = {name: run[name] for name in ("experiment", "arm", "seed")}
        path = results.parents[1] / Path(run["record"]).parent / "series.csv"
        found += [
            {**head, "epoch": row["epoch"], "test_error_percent": row["test_error_percent"]} for row in read_rows(path)
        ]
    return found


def mean_curve(points: Rows, arm: str) -> tuple[list[float], list[float]]:
    by_epoch: dict[float, list[float]] = {}
    for point in points:
        if point["arm"] == arm:
            by_epoch.setdefault(float(point["epoch"]), []).append(float(point["test_error_percent"]))
    return list(by_epoch), [float(np.mean(values)) for values in by_epoch.values()]


def draw_curves(design: dict[str, Any], results: Path, out: Path) -> None:
    """One panel for each arm: every seed thin, the mean thick, the mean of the control dashed."""
    points = curves(results)
    figure, axes = plt.subplots(
        1, len(design["arms"]), figsize=(PAGE_INCHES, 1.7), sharex=True, sharey=True, layout="constrained"
    )
    for place, arm in zip(axes, design["arms"], strict=True):
        for seed in design["seeds"]:
            own = [point for point in points if point["arm"] == arm and int(point["seed"]) == seed]
            line = [(float(point["epoch"]), float(point["test_error_percent"])) for point in own]
            place.plot(*zip(*line, strict=True) if line else ([], []), color=LOOKS[arm][0], linewidth=0.4, alpha=0.45)
        place.plot(*mean_curve(points, arm), color=LOOKS[arm][0], linewidth=1.8)
        if arm != design["control"]:
            place.plot(*mean_curve(points, design["control"]), color="black", linewidth=0.9, linestyle="--")
        place.set(title=arm, xlabel="epoch", ylim=(0.0, 50.0))
    axes[0].set_ylabel("test error (%)")
    save(figure, out, "curves", points)


def draw_improvements(analysis: dict[str, Any], results: Path, out: Path) -> None:
    """For each trick one mark a seed, and below them the mean with its interval."""
    tricks = analysis["tricks"]
    rows = [row for row in read_rows(results / "per_seed.csv") if row["condition"] == "noisy" and row["arm"] in tricks]
    figure, axes = plt.subplots(figsize=(COLUMN_INCHES, 2.2), layout="constrained")
    axes.axvline(0.0, color="#888888", linewidth=0.7)
    axes.axvline(
        analysis["minimum_effect"], color="black", linewidth=0.8, linestyle=":", label="smallest effect of interest"
    )
    for height, (arm, found) in enumerate(tricks.items()):
        colour, mark = LOOKS[arm]
        gains = [float(row["improvement"]) for row in rows if row["arm"] == arm]
        heights = [-height - 0.05 + 0.3 * (number % 3) / 2 for number in range(len(gains))]
        axes.scatter(gains, heights, marker=mark, s=9, facecolors="none", edgecolors=colour, linewidths=0.6)
        draw_level(axes, found, -height - 0.25, (colour, mark), "full")
    axes.set_yticks([-height for height in range(len(tricks))], list(tricks))
    axes.set(xlabel="test error saved (percentage points)", ylim=(-len(tricks) + 0.4, 0.55))
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0)
    save(figure, out, "improvements", rows)


def draw_ablation(design: dict[str, Any], exploratory: dict[str, Any], out: Path) -> None:
    """Left: the test error of every arm with wrong labels and without. Right: how many wrong labels it memorised."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(COLUMN_INCHES, 1.9), sharey=True, layout="constrained")
    rows = []
    for height, arm in enumerate(design["arms"]):
        for condition, shift in (("noisy", 0.14), ("clean", -0.14)):
            found = exploratory["arms"][condition][arm]
            fill = "full" if condition == "noisy" else "none"
            draw_level(left, found["test_error_percent"], -height + shift, LOOKS[arm], fill)
            draw_level(right, found["memorised_percent"], -height + shift, LOOKS[arm], fill)
            rows += [table_row(design, condition, arm, metric, each) for metric, each in found.items()]
    left.set_yticks([-height for height in range(len(design["arms"]))], design["arms"])
    left.set(xlabel="test error (%)", xlim=(0.0, None))
    right.set(xlabel="wrong labels repeated (%)", xlim=(-4.0, 104.0))
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
    marks = [
        mpl.lines.Line2D([], [], marker="o", color="black", linestyle="", markersize=4, fillstyle=fill, label=label)
        for fill, label in zip(("full", "none"), CONDITIONS.values(), strict=True)
    ]
    figure.legend(handles=marks, loc="outside upper center", ncols=2)
    save(figure, out, "ablation", rows)


def draw_level(axes: Axes, found: dict[str, Any], height: float, look: tuple[str, str], fill: Any) -> None:
    """A mean with its 95 % interval."""
    if found["mean"] is None:
        return
    low, high = found["interval_95"]
    reach = [[found["mean"] - low], [high - found["mean"]]]
    style: Any = {"fmt": look[1], "color": look[0], "fillstyle": fill, "markersize": 4, "capsize": 2, "linewidth": 1.1}
    axes.errorbar([found["mean"]], [height], xerr=reach, **style)


def table_row(design: dict[str, Any], condition: str, arm: str, metric: str, found: dict[str, Any]) -> dict[str, Any]:
    low, high = found["interval_95"] or ("", "")
    head = {"experiment": design["experiment"], "condition": condition, "arm": arm, "metric": metric}
    return {**head, "n": found["n"], "mean": found["mean"], "ci_low": low, "ci_high": high}


def draw_confusions(exploratory: dict[str, Any], out: Path) -> None:
    """Which digits plain training takes for which; what is right is left white."""
    tables = {name: np.array(table) * (1.0 - np.eye(10)) for name, table in exploratory["confusions"].items()}
    figure, axes = plt.subplots(1, 2, figsize=(COLUMN_INCHES, 1.75), sharey=True, layout="constrained")
    top = max(float(table.max()) for table in tables.values()) or 1.0
    for place, (condition, table) in zip(axes, tables.items(), strict=True):
        shown = np.ma.masked_where(np.eye(10) == 1.0, table)
        picture = place.imshow(shown, cmap="cividis_r", vmin=0.0, vmax=top, interpolation="nearest")
        place.set(title=CONDITIONS[condition], xlabel="taken for", xticks=range(10), yticks=range(10))
        place.tick_params(length=0, labelsize=7)
    axes[0].set_ylabel("digit")
    figure.colorbar(picture, ax=axes, fraction=0.05).set_label("% of the digit's images")
    rows = [
        {
            "experiment": exploratory["experiment"],
            "condition": condition,
            "digit": row,
            "taken_for": column,
            "percent": percent,
        }
        for condition, table in exploratory["confusions"].items()
        for row, line in enumerate(table)
        for column, percent in enumerate(line)
    ]
    save(figure, out, "confusions", rows)


FIGURES = {
    "images": ("training images of the first seed, with the labels given", "data/training_sets.csv", "preregistered"),
    "curves": ("test error by epoch for every run with wrong labels", "results/runs.csv", "preregistered"),
    "improvements": ("test error saved by each trick, by seed and on average", "results/per_seed.csv", "preregistered"),
    "ablation": ("every arm with wrong labels and without", "results/exploratory.json", "exploratory"),
    "confusions": ("which digits plain training takes for which", "results/exploratory.json", "exploratory"),
}


def listing(experiment: str) -> Rows:
    """One entry for each file: the same figure stands there for print and for the screen."""
    return [
        {
            "file": f"workspace/figures/{name}.{ending}",
            "experiment": experiment,
            "data": [f"workspace/figures/{name}.csv"],
            "sources": [f"workspace/{source}"],
            "script": "workspace/code/draw_figures.py",
            "caption": caption,
            "status": status,
        }
        for name, (caption, source, status) in FIGURES.items()
        for ending in ("pdf", "png")
    ]


def draw(name: str, workspace: Path, out: Path) -> None:
    """One figure."""
    results = (workspace / "results").resolve()
    design = read_json(workspace / "data" / "design.json")
    with mpl.rc_context(STYLE):
        match name:
            case "images":
                draw_images(design, workspace / "data", out)
            case "curves":
                draw_curves(design, results, out)
            case "improvements":
                draw_improvements(read_json(results / "analysis.json"), results, out)
            case "ablation":
                draw_ablation(design, read_json(results / "exploratory.json"), out)
            case "confusions":
                draw_confusions(read_json(results / "exploratory.json"), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=FIGURES, help="draw this one only, as PDF, into the current folder")
    parser.add_argument("--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the figures")
    arguments = parser.parse_args()
    if arguments.name:
        draw(arguments.name, arguments.workspace, HERE)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        draw(name, arguments.workspace, arguments.out)
    design = read_json(arguments.workspace / "data" / "design.json")
    text = json.dumps({"figures": listing(design["experiment"])}, indent=1) + "\n"
    (arguments.out / "figures.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(FIGURES)} figures\n")


if __name__ == "__main__":
    main()
