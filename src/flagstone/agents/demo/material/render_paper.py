"""Turns the measured results into what the paper includes: numbers.tex and tables; none is typed by hand."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

# The first is the sentence of abstract and results, the second the opening of the conclusion.
ENDINGS = {
    "best": (
        "By the rule fixed beforehand \\BestTrick{} helps most: it saves \\BestGain{} percentage points "
        "(95\\,\\% interval \\BestInterval).",
        "In this setting \\BestTrick{} is the trick to try first: it saves \\BestGain{} percentage points of error.",
    ),
    "none": (
        "By the rule fixed beforehand no trick helps: for each of them a gain of \\MinimumEffect{} percentage point "
        "is ruled out at the stated level.",
        "In this setting no trick is worth its line of code: the runs rule out that any of them saves "
        "\\MinimumEffect{} percentage point of test error.",
    ),
    "open": (
        "By the rule fixed beforehand no trick is shown to help, and for \\OpenTricks{} the question stays open.",
        "In this setting no trick is shown to help. For \\OpenTricks{} the question stays open; more seeds would "
        "narrow the intervals, and would have to be planned before they are run.",
    ),
}


def signed_text(number: float, digits: int = 2) -> str:
    text = f"{number:+.{digits}f}"
    return f"${text if float(text) else text[1:]}$"  # no sign before a zero


def interval(found: dict[str, Any], digits: int = 2) -> str:
    return f"[{', '.join(signed_text(end, digits) for end in found['interval_95'])}]"


def mean(found: dict[str, Any], digits: int = 1) -> str:
    return "--" if found["mean"] is None else f"{found['mean']:.{digits}f}"


def p_text(p_value: float | None) -> str:
    if p_value is None:
        return "--"
    return "$<$0.0001" if p_value < 0.0001 else f"{p_value:.4f}" if p_value < 0.01 else f"{p_value:.3f}"


def joined_text(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"


def setting(design: dict[str, Any]) -> dict[str, str]:
    """What was planned."""
    data, training, rule, constants = (design[part] for part in ("data", "training", "rule", "constants"))
    runs = len(design["seeds"]) * len(design["arms"])
    return {
        "DataSeed": str(data["data_seed"]),
        "TrainingImages": str(data["training_images"]),
        "TestImages": str(data["test_images"]),
        "PoolImages": str(1797 - data["test_images"]),
        "WrongPercent": f"{100 * data['wrong_share']:.0f}",
        "WrongImages": f"{data['wrong_share'] * data['training_images']:.0f}",
        "Seeds": str(len(design["seeds"])),
        "FirstSeed": str(design["seeds"][0]),
        "LastSeed": str(design["seeds"][-1]),
        "Runs": str(runs),
        "AllRuns": str(runs * len(design["conditions"])),
        "HiddenUnits": str(training["hidden"][0]),
        "Rate": str(training["rate"]),
        "Momentum": str(training["momentum"]),
        "BatchRows": str(training["batch_rows"]),
        "Epochs": str(training["epochs"]),
        "MixupAlpha": f"{constants['mixup']['alpha']:g}",
        "AveragedPercent": f"{100 * (1 - constants['averaging']['from_share']):.0f}",
        "ClippingNorm": f"{constants['clipping']['norm']:g}",
        "LookAheadSteps": str(constants["look-ahead"]["steps"]),
        "LookAheadAlpha": str(constants["look-ahead"]["alpha"]),
        "MinimumEffect": f"{rule['minimum_effect']:g}",
        "Alpha": str(rule["alpha"]),
        "FailedCountsAs": f"{rule['failed_run_counts_as']:g}",
    }


def outcome(analysis: dict[str, Any], exploratory: dict[str, Any]) -> dict[str, str]:
    """What was found."""
    tricks, best, failed = analysis["tricks"], analysis["best"], analysis["failed_runs"]
    noisy, clean = (exploratory["arms"][condition] for condition in ("noisy", "clean"))
    undecided = [arm for arm, each in tricks.items() if each["verdict"] == "INCONCLUSIVE"]
    short, long = ENDINGS["best" if best else "open" if undecided else "none"]
    plain, plain_clean = noisy["plain"]["test_error_percent"], clean["plain"]["test_error_percent"]
    has_cost = plain["mean"] is not None and plain_clean["mean"] is not None
    margin = exploratory["margin"]
    return {
        "PlainError": mean(plain),
        "PlainClean": mean(plain_clean),
        "Cost": f"{plain['mean'] - plain_clean['mean']:.1f}" if has_cost else "--",
        "BestTrick": best or "no trick",
        "BestGain": mean(tricks[best]) if best else "--",
        "BestInterval": interval(tricks[best], 1) if best else "--",
        "OpenTricks": joined_text(undecided),
        "VerdictList": "; ".join(f"{arm}: \\emph{{{each['verdict'].lower()}}}" for arm, each in tricks.items()),
        "MarginOf": margin["of"],
        "MarginOver": margin["over"],
        "Margin": signed_text(margin["mean"]),
        "MarginInterval": interval(margin),
        "Memorised": mean(noisy["plain"]["memorised_percent"], 0),
        "MemorisedList": joined_text([f"{arm} {mean(noisy[arm]['memorised_percent'], 0)}" for arm in tricks]),
        "CleanList": joined_text(
            [f"{arm} {signed_text(each['mean'], 1)}" for arm, each in exploratory["ablation"].items()]
        ),
        "LowestList": lowest_text(exploratory["lowest_on_the_way"]),
        "ClippedPercent": "--" if exploratory["clipped_percent"] is None else f"{exploratory['clipped_percent']:.1f}",
        "FailedSentence": f"These runs failed and count as planned: {', '.join(failed)}."
        if failed
        else "No run failed.",
        "AbstractEnding": short,
        "ConclusionEnding": long,
    }


def lowest_text(on_the_way: dict[str, Any]) -> str:
    """The lowest mean error of every arm, with its epoch."""
    known = {arm: point for arm, point in on_the_way.items() if point}
    return joined_text(
        [f"{arm} {point['test_error_percent']:.1f} (epoch {point['epoch']:.0f})" for arm, point in known.items()]
    )


def comparison_table(analysis: dict[str, Any], exploratory: dict[str, Any]) -> str:
    rows = []
    for arm, noisy in exploratory["arms"]["noisy"].items():
        clean, found = exploratory["arms"]["clean"][arm], analysis["tricks"].get(arm)
        error = noisy["test_error_percent"]
        cells = [arm, f"{mean(error)} ({'--' if error['sd'] is None else format(error['sd'], '.1f')})"]
        cells += trick_cells(found) if found else [""] * 5
        cells += [mean(noisy["test_loss"], 2), mean(noisy["memorised_percent"], 0), mean(clean["test_error_percent"])]
        rows.append(f"{' & '.join(cells)} \\\\")
    head = (
        "& \\multicolumn{6}{c}{test error, one label in five wrong} & test & wrong labels & test error, \\\\\n"
        "\\cmidrule(lr){2-7}\n"
        "arm & mean (sd), \\% & saved & 95\\,\\% interval & $p$, Holm & $p$, sign flip & verdict "
        "& loss, nats & repeated, \\% & labels right, \\% \\\\"
    )
    return table("@{}lrrrrrlrrr@{}", head, rows)


def trick_cells(found: dict[str, Any]) -> list[str]:
    numbers = [signed_text(found["mean"]), interval(found), p_text(found["p_corrected"]), p_text(found["sign_flip_p"])]
    return [*numbers, found["verdict"].lower()]


def runs_table(design: dict[str, Any], runs: list[dict[str, str]]) -> str:
    """Every planned run, the failed ones too."""
    found = {(run["condition"], run["arm"], run["seed"]): run for run in runs}
    columns = [(condition, arm) for condition in design["conditions"] for arm in design["arms"]]
    lines = []
    for seed in design["seeds"]:
        cells = [cell(found[condition, arm, str(seed)]) for condition, arm in columns]
        lines.append(f"{seed} & {' & '.join(cells)} \\\\")
    arms, last = len(design["arms"]), 2 * len(design["arms"]) + 1
    over = f"\\multicolumn{{{arms}}}{{c}}"
    head = (
        f"& {over}{{one label in five wrong}} & {over}{{every label right}} \\\\\n"
        f"\\cmidrule(lr){{2-{arms + 1}}}\\cmidrule(l){{{arms + 2}-{last}}}\n"
        f"seed & {' & '.join(arm for _, arm in columns)} \\\\"
    )
    return table(f"@{{}}r{'r' * (last - 1)}@{{}}", head, lines)


def cell(run: dict[str, str]) -> str:
    return f"{float(run['test_error_percent']):.1f}" if run["status"] == "ok" else "failed"


def confusions_table(exploratory: dict[str, Any]) -> str:
    rows = [
        f"{each['digit']} taken for {each['taken_for']} & {each['noisy']:.1f} & {each['clean']:.1f} \\\\"
        for each in exploratory["worst_confusions"]
    ]
    return table("@{}lrr@{}", "in \\% of a digit's images & one in five wrong & every label right \\\\", rows)


def tuning_table(path: Path) -> str:
    """The runs of the search for a strength of mixup, as the engine recorded them."""
    if not path.is_file():
        return "The search was not run.\n"
    runs = read_rows(path)
    rows = [
        f"{number} & {plain_words(run['note'])} & {value(run)} & {run['verdict']} \\\\"
        for number, run in enumerate(runs, 1)
    ]
    return table("@{}rlrl@{}", "run & strength & error, \\% & verdict of the engine \\\\", rows)


def plain_words(note: str) -> str:
    """The words of a note without what LaTeX would take for a command."""
    words = note.replace("ALPHA ", "").replace("baseline", "1 (the default)")
    return "".join(letter for letter in words if letter not in "\\{}$&#^_%~")


def value(run: dict[str, str]) -> str:
    return f"{float(run['value']):.1f}" if run["value"] else "--"


def table(columns: str, head: str, lines: list[str]) -> str:
    lines_of_table = [f"\\begin{{tabular}}{{{columns}}}", "\\toprule", head, "\\midrule", *lines, "\\bottomrule"]
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
    results = arguments.results
    design = json.loads(arguments.design.read_text(encoding="utf-8"))
    analysis, exploratory = (
        json.loads((results / f"{name}.json").read_text(encoding="utf-8")) for name in ("analysis", "exploratory")
    )
    values = {**setting(design), **outcome(analysis, exploratory)}
    lines = [f"\\newcommand{{\\{name}}}{{{text}}}" for name, text in values.items()]
    head = "% Written by render_paper.py from the design and the results; changes are lost.\n"
    (arguments.out / "numbers.tex").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    tables = {
        "comparison": comparison_table(analysis, exploratory),
        "runs": runs_table(design, read_rows(results / "runs.csv")),
        "confusions": confusions_table(exploratory),
        "tuning": tuning_table(results / "tuning" / "iterations.csv"),
    }
    (arguments.out / "tables").mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (arguments.out / "tables" / f"{name}.tex").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(values)} numbers and sentences, {len(tables)} tables\n")


if __name__ == "__main__":
    main()
