"""Compares each trick with plain training by the rule that design.json fixed before any run: analysis.json."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pairs import Floats, holm, interval, paired_t, sign_flip_p

METRIC = "test_error_percent"
Runs = list[dict[str, str]]


def read_runs(path: Path) -> Runs:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def values_of(runs: Runs, design: dict[str, Any], condition: str, arm: str, metric: str = METRIC) -> Floats:
    """The values of an arm, seed by seed. A failed run counts as the design says, and is never left out."""
    worst = design["rule"]["failed_run_counts_as"] if metric == METRIC else math.nan
    mine = {int(run["seed"]): run for run in runs if (run["condition"], run["arm"]) == (condition, arm)}
    return np.array([float(run[metric]) if run["status"] == "ok" else worst for _, run in sorted(mine.items())])


def improvements(runs: Runs, design: dict[str, Any], condition: str, arm: str) -> Floats:
    """Control minus trick, seed by seed: positive if the trick is better."""
    control = values_of(runs, design, condition, design["control"])
    return control - values_of(runs, design, condition, arm)


def description(values: Floats) -> dict[str, Any]:
    """Mean, standard deviation and interval of one arm; without the runs that have no value."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return {"n": len(known), "mean": None, "sd": None, "interval_95": None}
    return {
        "n": len(known),
        "mean": round(float(known.mean()), 4),
        "sd": round(float(known.std(ddof=1)), 4),
        "interval_95": [round(end, 4) for end in interval(known)],
    }


def comparison(differences: Floats) -> dict[str, Any]:
    """What the pairs of one trick say, without a verdict."""
    _, error, p_value = paired_t(differences)
    return {
        **description(differences),
        "upper_bound_95": round(interval(differences, 0.90)[1], 4),
        "p_value": None if math.isnan(p_value) else round(p_value, 6),
        "sign_flip_p": round(sign_flip_p(differences), 6),
        "pairs_in_favour": int(np.count_nonzero(differences > 0.0)),
        "varies": error > 0.0,
    }


def verdict(found: dict[str, Any], rule: dict[str, Any]) -> str:
    """The decision rule of the design, in its order."""
    if not found["varies"]:
        return "INCONCLUSIVE"
    if found["p_corrected"] <= rule["alpha"] and found["mean"] >= rule["minimum_effect"]:
        return "SUPPORTED"
    if found["p_harm_corrected"] <= rule["alpha"]:
        return "HARMFUL"
    return "NO PRACTICAL EFFECT" if found["upper_bound_95"] < rule["minimum_effect"] else "INCONCLUSIVE"


def confirmation(runs: Runs, design: dict[str, Any]) -> dict[str, Any]:
    """The pre-registered outcome: one verdict for each trick, and the best of those that are supported."""
    rule, tricks = design["rule"], [arm for arm in design["arms"] if arm != design["control"]]
    gains = {arm: improvements(runs, design, "noisy", arm) for arm in tricks}
    helps, harms = (holm([paired_t(sign * each)[2] for each in gains.values()]) for sign in (1.0, -1.0))
    found = {}
    for arm, help_p, harm_p in zip(tricks, helps, harms, strict=True):
        corrected = {"p_corrected": round(help_p, 6), "p_harm_corrected": round(harm_p, 6)}
        found[arm] = {**comparison(gains[arm]), **corrected}
        found[arm]["verdict"] = verdict(found[arm], rule)
    supported = [arm for arm in tricks if found[arm]["verdict"] == "SUPPORTED"]
    return {
        "experiment": design["experiment"],
        "metric": METRIC,
        "improvement_is": f"{design['control']} minus trick, in percentage points: positive if the trick is better",
        "minimum_effect": rule["minimum_effect"],
        "tricks": found,
        "supported": supported,
        "best": max(supported, key=lambda arm: float(found[arm]["mean"]), default=None),
        "failed_runs": [name(run) for run in runs if run["status"] != "ok"],
    }


def name(run: dict[str, str]) -> str:
    return f"{run['arm']}-{run['seed']} ({run['condition']})"


def exploration(runs: Runs, design: dict[str, Any], outcome: dict[str, Any], root: Path) -> dict[str, Any]:
    """What decides nothing: each arm by itself, the ablation, the course of the error, the confusions."""
    arms, metrics, tricks = design["arms"], (METRIC, *design["secondary"]), outcome["tricks"]
    first, second = sorted(tricks, key=lambda arm: float(tricks[arm]["mean"]), reverse=True)[:2]
    margin = improvements(runs, design, "noisy", first) - improvements(runs, design, "noisy", second)
    counts = {condition: confusions(runs, condition, design["control"], root) for condition in design["conditions"]}
    return {
        "experiment": design["experiment"],
        "arms": {
            condition: {
                arm: {metric: description(values_of(runs, design, condition, arm, metric)) for metric in metrics}
                for arm in arms
            }
            for condition in design["conditions"]
        },
        "ablation": {arm: description(improvements(runs, design, "clean", arm)) for arm in tricks},
        "margin": {"of": first, "over": second, **description(margin)},
        "lowest_on_the_way": {arm: lowest_on_the_way(runs, arm, root) for arm in arms},
        "clipped_percent": clipped_percent(runs, root),
        "confusions": {condition: found.tolist() for condition, found in counts.items()},
        "worst_confusions": worst_confusions(**counts),
    }


def finished_runs(runs: Runs, condition: str, arm: str) -> list[dict[str, str]]:
    return [run for run in runs if (run["condition"], run["arm"], run["status"]) == (condition, arm, "ok")]


def records(runs: Runs, condition: str, arm: str, root: Path) -> list[dict[str, Any]]:
    return [
        json.loads((root / run["record"]).read_text(encoding="utf-8")) for run in finished_runs(runs, condition, arm)
    ]


def lowest_on_the_way(runs: Runs, arm: str, root: Path) -> dict[str, float] | None:
    """The epoch at which the mean test error was lowest. It is chosen on the test images, so it decides nothing."""
    paths = [(root / run["record"]).with_name("series.csv") for run in finished_runs(runs, "noisy", arm)]
    if not paths:
        return None
    series = [read_runs(path) for path in paths]
    means = np.mean([[float(point[METRIC]) for point in points] for points in series], axis=0)
    place = int(np.argmin(means))
    return {"epoch": float(series[0][place]["epoch"]), METRIC: round(float(means[place]), 4)}


def confusions(runs: Runs, condition: str, arm: str, root: Path) -> Any:
    """Of the test images of each digit (row), the percentage that is taken for each digit (column)."""
    counts = np.zeros((10, 10))
    for record in records(runs, condition, arm, root):
        counts += np.array(record["confusion"])
    return np.round(100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0), 2)


def worst_confusions(noisy: Any, clean: Any) -> list[dict[str, Any]]:
    """The five most frequent confusions with wrong labels, and the same five without."""
    wrong = noisy * (1.0 - np.eye(10))
    places = [divmod(int(place), 10) for place in np.argsort(-wrong, axis=None, kind="stable")[:5]]
    return [
        {"digit": row, "taken_for": column, "noisy": float(noisy[row, column]), "clean": float(clean[row, column])}
        for row, column in places
    ]


def clipped_percent(runs: Runs, root: Path) -> float | None:
    """In how many of all steps the limit on the gradient was reached."""
    observed = [record["observed"] for record in records(runs, "noisy", "clipping", root)]
    steps = sum(each["steps"] for each in observed)
    return round(100.0 * sum(each["clipped_steps"] for each in observed) / steps, 2) if steps else None


def write_pairs(path: Path, runs: Runs, design: dict[str, Any]) -> None:
    """Every run of the comparison and of the ablation, a line for each pair of seed and arm."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", "condition", "arm", "seed", METRIC, "improvement"])
        for condition in design["conditions"]:
            for arm in design["arms"]:
                values = values_of(runs, design, condition, arm)
                gains = improvements(runs, design, condition, arm)
                for seed, value, gain in zip(sorted(design["seeds"]), values, gains, strict=True):
                    rows.writerow([design["experiment"], condition, arm, seed, f"{value:.4f}", f"{gain:.4f}"])


def write_by_seed(path: Path, runs: Runs, design: dict[str, Any]) -> None:
    """The test error of every run, a line for each seed; a run that failed says so."""
    columns = [(condition, arm) for condition in design["conditions"] for arm in design["arms"]]
    cells = {
        (run["condition"], run["arm"], int(run["seed"])): run[METRIC] if run["status"] == "ok" else "failed"
        for run in runs
    }
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", "seed", *(f"{condition} {arm}" for condition, arm in columns)])
        for seed in design["seeds"]:
            rows.writerow([design["experiment"], seed, *(cells[(*column, seed)] for column in columns)])


def write_ablations(path: Path, found: dict[str, Any], experiment: str) -> None:
    """What each trick saves where every label is right."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", "ablation", "arm", "n", "estimate", "low", "high"])
        for arm, each in found["ablation"].items():
            rows.writerow([experiment, "every label right", arm, each["n"], each["mean"], *each["interval_95"]])


def write_errors(path: Path, runs: Runs, design: dict[str, Any], root: Path) -> None:
    """The share of each digit's test images that an arm gets wrong, over all its finished runs with wrong labels."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", "group", "arm", "n", "value"])
        for arm in design["arms"]:
            counts = sum(
                (np.array(each["confusion"]) for each in records(runs, "noisy", arm, root)), np.zeros((10, 10))
            )
            for digit, row in enumerate(counts):
                if row.sum():
                    wrong = 100.0 * (1.0 - row[digit] / row.sum())
                    rows.writerow([design["experiment"], f"digit {digit}", arm, int(row.sum()), f"{wrong:.2f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, help="folder of runs.csv, two below the run's folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for analysis.json and what goes with it")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    runs, root = read_runs(arguments.results / "runs.csv"), arguments.results.resolve().parents[1]
    outcome = confirmation(runs, design)
    explored = exploration(runs, design, outcome, root)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for file, record in (("analysis", outcome), ("exploratory", explored)):
        (arguments.out / f"{file}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_pairs(arguments.out / "per_seed.csv", runs, design)
    write_by_seed(arguments.out / "by_seed.csv", runs, design)
    write_ablations(arguments.out / "ablations.csv", explored, design["experiment"])
    write_errors(arguments.out / "error_analysis.csv", runs, design, root)
    gains = ", ".join(f"{arm} {each['mean']:+.1f}" for arm, each in outcome["tricks"].items())
    sys.stdout.write(f"supported: {', '.join(outcome['supported']) or 'none'} (points of error saved: {gains})\n")


if __name__ == "__main__":
    main()
