"""Turns the measured results into what the paper includes: numbers.tex and tables; none is typed by hand."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

ENDINGS = {
    "SUPPORTED": (
        "By the rule fixed beforehand the hypothesis is \\emph{supported} here: warm-up lowered test loss "
        "by at least the smallest effect of interest.",
        "In this setting, warm-up earned its place: it costs one line and no steps, and lowered test loss "
        "by \\DifferenceSize{} nats on average. Whether it does so elsewhere is a question for other data, "
        "other networks and other budgets.",
    ),
    "NO PRACTICAL EFFECT": (
        "By the rule fixed beforehand the verdict is \\emph{no practical effect}: an improvement as large as "
        "the smallest effect of interest is ruled out at the stated level.",
        "In this setting, warm-up made no difference that would matter: the runs rule out an improvement of "
        "\\MinimumEffect{} nats or more. Who has to choose may leave it out here and spend the effort "
        "elsewhere.",
    ),
    "HARMFUL": (
        "By the rule fixed beforehand the verdict is \\emph{harmful}: under this budget warm-up raised the test loss.",
        "In this setting, warm-up did harm: within a fixed budget it raised the test loss by "
        "\\DifferenceSize{} nats on average. What looks like a free safeguard changed the result for the "
        "worse here.",
    ),
    "INCONCLUSIVE": (
        "By the rule fixed beforehand the verdict is \\emph{inconclusive}: the runs neither show an "
        "improvement of the smallest size of interest nor rule it out.",
        "In this setting, the question stays open: \\Seeds{} pairs of runs neither show the predicted "
        "improvement nor rule it out. More seeds would narrow the interval; they would have to be planned "
        "before they are run, because adding seeds until a test agrees is not a test.",
    ),
}


def signed(number: float, digits: int = 3) -> str:
    return f"${number:+.{digits}f}$"


def percent(share: float) -> str:
    return f"{100.0 * share:.1f}"


def signed_percent(share: float) -> str:
    return signed(100.0 * share, 1)


def p_value(primary: dict[str, Any]) -> str:
    return f"{primary['p_value']:.4f}" if primary["p_value"] < 0.01 else f"{primary['p_value']:.3f}"


def setting(design: dict[str, Any]) -> dict[str, str]:
    """What was planned."""
    data, training, rule = design["data"], design["training"], design["rule"]
    return {
        "DataSeed": str(data["data_seed"]),
        "TrainRows": str(data["train_rows"]),
        "TestRows": str(data["test_rows"]),
        "Noise": str(data["noise"]),
        "Seeds": str(len(design["seeds"])),
        "FirstSeed": str(design["seeds"][0]),
        "LastSeed": str(design["seeds"][-1]),
        "Runs": str(len(design["seeds"]) * len(design["arms"])),
        "HiddenUnits": str(training["hidden"][0]),
        "PeakRate": str(training["peak_rate"]),
        "Momentum": str(training["momentum"]),
        "BatchRows": str(training["batch_rows"]),
        "Steps": str(training["steps"]),
        "WarmupSteps": str(training["warmup_steps"]),
        "WarmupPercent": f"{100 * training['warmup_steps'] / training['steps']:.0f}",
        "MinimumEffect": str(rule["minimum_effect"]),
        "Alpha": str(rule["alpha"]),
        "FailedCountsAs": f"{rule['failed_run_counts_as']:.3f}",
    }


def outcome(analysis: dict[str, Any]) -> dict[str, str]:
    """What was found."""
    loss, error, failed = analysis["primary"], analysis["secondary"], analysis["failed_runs"]
    low, high = (signed(end) for end in loss["interval_95"])
    error_low, error_high = (signed_percent(end) for end in error["interval_95"])
    short, long = ENDINGS[analysis["verdict"]]
    names = ", ".join(failed)
    return {
        "LossConstant": f"{loss['constant']['mean']:.3f}",
        "LossConstantSd": f"{loss['constant']['sd']:.3f}",
        "LossWarmup": f"{loss['warmup']['mean']:.3f}",
        "LossWarmupSd": f"{loss['warmup']['sd']:.3f}",
        "Difference": signed(loss["difference"]),
        "DifferenceSize": f"{abs(loss['difference']):.3f}",
        "DifferenceSd": f"{loss['difference_sd']:.3f}",
        "DifferenceInterval": f"[{low}, {high}]",
        "UpperBound": signed(loss["upper_bound_95"]),
        "PValue": p_value(loss),
        "SignPatterns": str(loss["sign_patterns"]),
        "PairsInFavour": str(loss["pairs_in_favour"]),
        "ErrorConstant": percent(error["constant"]["mean"]),
        "ErrorConstantSd": percent(error["constant"]["sd"]),
        "ErrorWarmup": percent(error["warmup"]["mean"]),
        "ErrorWarmupSd": percent(error["warmup"]["sd"]),
        "ErrorDifference": signed_percent(error["difference"]),
        "ErrorInterval": f"[{error_low}, {error_high}]",
        "ErrorPValue": p_value(error),
        "Verdict": analysis["verdict"].lower(),
        "FailedSentence": f"The runs {names} failed and count as planned." if failed else "No run failed.",
        "AbstractEnding": short,
        "ConclusionEnding": long,
    }


def comparison_table() -> str:
    rows = [
        "loss (nats) & \\LossConstant & \\LossWarmup & \\Difference & \\DifferenceInterval",
        "\\quad sd & \\LossConstantSd & \\LossWarmupSd & \\DifferenceSd & ",
        "error (\\%) & \\ErrorConstant & \\ErrorWarmup & \\ErrorDifference & \\ErrorInterval",
        "\\quad sd & \\ErrorConstantSd & \\ErrorWarmupSd & & ",
    ]
    head = "test & constant & warm-up & difference & 95\\,\\% interval \\\\"
    return table("@{}lrrrr@{}", head, [f"{row} \\\\" for row in rows])


def runs_table(runs: list[dict[str, str]], differences: list[dict[str, str]]) -> str:
    """Every planned run, the failed ones too."""
    found = {(run["arm"], run["seed"]): run for run in runs}
    lines = []
    for row in differences:
        pair = [found[arm, row["seed"]] for arm in ("constant", "warmup")]
        cells = [cell(run, name) for name in ("test_loss", "test_error") for run in pair]
        lines.append(f"{row['seed']} & {' & '.join(cells)} & {signed(float(row['difference']))} \\\\")
    head = (
        "& \\multicolumn{2}{c}{loss (nats)} & \\multicolumn{2}{c}{error (\\%)} & \\\\\n"
        "\\cmidrule(lr){2-3}\\cmidrule(lr){4-5}\n"
        "seed & const. & w.-up & const. & w.-up & difference \\\\"
    )
    return table("@{}rrrrrr@{}", head, lines)


def cell(run: dict[str, str], name: str) -> str:
    if run["status"] != "ok":
        return "failed"
    return percent(float(run[name])) if name == "test_error" else f"{float(run[name]):.3f}"


def table(columns: str, head: str, lines: list[str]) -> str:
    lines_of_table = [
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        head,
        "\\midrule",
        *lines,
        "\\bottomrule",
    ]
    return "\n".join([*lines_of_table, "\\end{tabular}"]) + "\n"


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the folder of main.tex")
    arguments = parser.parse_args()
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    analysis = json.loads((arguments.results / "analysis.json").read_text(encoding="utf-8"))
    values = {**setting(design), **outcome(analysis)}
    lines = [f"\\newcommand{{\\{name}}}{{{text}}}" for name, text in values.items()]
    head = "% Written by render_paper.py from design.json and analysis.json; changes are lost.\n"
    (arguments.out / "numbers.tex").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    tables = arguments.out / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    (tables / "comparison.tex").write_text(comparison_table(), encoding="utf-8")
    runs, pairs = (read_rows(arguments.results / name) for name in ("runs.csv", "per_seed.csv"))
    (tables / "runs.tex").write_text(runs_table(runs, pairs), encoding="utf-8")


if __name__ == "__main__":
    main()
