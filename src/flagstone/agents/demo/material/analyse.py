"""Compares the arms by the rule that design.json fixed before any run: analysis.json, per_seed.csv."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

VERDICTS = ("SUPPORTED", "NO PRACTICAL EFFECT", "HARMFUL", "INCONCLUSIVE")


def subset_means(differences: Floats) -> Floats:
    """The mean of every non-empty subset, in order: the exact sign-flip test in one list (Hartigan, 1969)."""
    count = len(differences)
    members = (np.arange(1, 2**count)[:, None] >> np.arange(count)) & 1
    return np.sort((members @ differences) / members.sum(axis=1))


def sign_flip_p(means: Floats) -> float:
    """One-sided: the share of all sign patterns that favour warm-up at least as much as what was seen."""
    return float((1 + np.count_nonzero(means <= 1e-12)) / (len(means) + 1))


def interval(means: Floats, outside: float) -> tuple[float, float]:
    """All shifts that the two-sided test at level `outside` does not reject."""
    rank = int(np.floor(outside / 2.0 * (len(means) + 1)))
    if rank < 1:
        raise SystemExit(f"{len(means) + 1} sign patterns are too few for this interval: plan more seeds")
    return float(means[rank - 1]), float(means[-rank])


def verdict(mean: float, p_value: float, upper_bound: float, rule: dict[str, Any]) -> str:
    """The decision rule of the design, in its order."""
    if upper_bound < 0.0:
        return "HARMFUL"
    if p_value <= rule["alpha"] and mean >= rule["minimum_effect"]:
        return "SUPPORTED"
    if upper_bound < rule["minimum_effect"]:
        return "NO PRACTICAL EFFECT"
    return "INCONCLUSIVE"


def read_runs(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def value(run: dict[str, str], metric: str, worst: float) -> float:
    """A run's metric; a run that failed counts as the design says, and is never left out."""
    return float(run[metric]) if run["status"] == "ok" else worst


def paired(runs: list[dict[str, str]], metric: str, worst: float) -> tuple[list[int], Floats, Floats]:
    """The seeds and both arms' values, seed by seed."""
    found = {(run["arm"], int(run["seed"])): value(run, metric, worst) for run in runs}
    seeds = sorted({seed for _, seed in found})
    constant, warmup = (np.array([found[arm, seed] for seed in seeds]) for arm in ("constant", "warmup"))
    return seeds, constant, warmup


def compared(runs: list[dict[str, str]], metric: str, worst: float, rule: dict[str, Any]) -> dict[str, Any]:
    """Everything about one metric. A positive difference means that warm-up is better."""
    _, constant, warmup = paired(runs, metric, worst)
    differences = constant - warmup
    means = subset_means(differences)
    low, high = interval(means, 0.05)
    upper_bound = interval(means, 0.10)[1]
    p_value, mean = sign_flip_p(means), float(differences.mean())
    return {
        "metric": metric,
        "pairs": len(differences),
        "constant": {"mean": round(float(constant.mean()), 6), "sd": round(float(constant.std(ddof=1)), 6)},
        "warmup": {"mean": round(float(warmup.mean()), 6), "sd": round(float(warmup.std(ddof=1)), 6)},
        "difference": round(mean, 6),
        "difference_sd": round(float(differences.std(ddof=1)), 6),
        "interval_95": [round(low, 6), round(high, 6)],
        "upper_bound_95": round(upper_bound, 6),
        "pairs_in_favour": int(np.count_nonzero(differences > 0.0)),
        "sign_patterns": len(means) + 1,
        "p_value": round(p_value, 6),
        "verdict": verdict(mean, p_value, upper_bound, rule),
    }


def write_pairs(path: Path, runs: list[dict[str, str]], design: dict[str, Any]) -> None:
    seeds, constant, warmup = paired(runs, "test_loss", design["rule"]["failed_run_counts_as"])
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["experiment", "seed", "constant_test_loss", "warmup_test_loss", "difference"])
        for seed, one, other in zip(seeds, constant, warmup, strict=True):
            rows.writerow([design["experiment"], seed, f"{one:.6f}", f"{other:.6f}", f"{one - other:.6f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, help="folder of runs.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for analysis.json and per_seed.csv")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    runs, rule = read_runs(arguments.results / "runs.csv"), design["rule"]
    primary = compared(runs, "test_loss", rule["failed_run_counts_as"], rule)
    secondary = compared(runs, "test_error", 1.0, rule)
    del secondary["verdict"]  # the rule is about the primary metric alone
    analysis = {
        "experiment": design["experiment"],
        "verdict": primary["verdict"],
        "minimum_effect": rule["minimum_effect"],
        "difference_is": "constant minus warmup: positive where warm-up is better",
        "primary": primary,
        "secondary": secondary,
        "failed_runs": [f"{run['arm']}-{run['seed']}" for run in runs if run["status"] != "ok"],
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(analysis, indent=1) + "\n"
    (arguments.out / "analysis.json").write_text(text, encoding="utf-8")
    write_pairs(arguments.out / "per_seed.csv", runs, design)
    sys.stdout.write(f"verdict {primary['verdict']}: difference {primary['difference']:+.4f} nats\n")


if __name__ == "__main__":
    main()
