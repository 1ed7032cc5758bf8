"""Stages 04 to 06: the programs, the runs, and what they show."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flagstone.agents.demo.messages import utter
from flagstone.agents.demo.study import ProgramResult, Study, at_once
from flagstone.agents.demo.summary import DemoSummary
from flagstone.errors import WorkFailed

PROGRAMS = (
    "network.py",
    "tricks.py",
    "train.py",
    "tune.py",
    "pairs.py",
    "analyse.py",
    "draw_figures.py",
    "test_study.py",
)
DESIGN = ("--design", "workspace/data/design.json")
DATA = ("--data", "workspace/data")
RESULTS = ("--results", "workspace/results")
TEST_TIME = re.compile(r" in \d+\.\d+s$", re.MULTILINE)
TEST_COUNT = re.compile(r"^Ran (\d+) tests", re.MULTILINE)
CHECKED = {
    "determinism": "test_the_same_seed_gives_the_same_run",
    "same start for all arms": "test_all_arms_of_a_seed_start_from_the_same_network",
    "share of wrong labels": "test_exactly_the_planned_share_of_labels_is_wrong",
    "gradients": "test_back_propagation_agrees_with_finite_differences",
    "a failed run says so": "test_a_run_that_diverges_ends_and_says_so",
    "every verdict is possible": "test_the_rule_can_come_out_every_way",
}
METRICS = ("test_error_percent", "test_loss", "train_loss", "memorised_percent")
Record = dict[str, object]


def implementation(study: Study) -> DemoSummary:
    """04: the programs of the study, those of the analysis included, tested before any result exists."""
    study.design()
    study.bring(*PROGRAMS, "requirements.txt", to="code")
    study.bring("tuning.yaml", to="experiments")
    tests = study.python("code/test_study.py")
    report = TEST_TIME.sub("", tests.output)
    count = TEST_COUNT.search(report)
    study.write("notes/tests.txt", report)
    utter("tool", f"python test_study.py: {tests.last_line}")
    if tests.exit_code != 0 or count is None:
        raise WorkFailed("the tests of the study's own code fail", hint="read workspace/notes/tests.txt")
    study.write_record("notes/implementation_checks.json", checks_record(report, int(count[1])))
    smoke = ("--seed", "1", "--arm", "plain", "--condition", "noisy", "--epochs", "2", "--out", "workspace/notes/smoke")
    return study.summary({"TESTS": count[1], "SMOKE": study.must("code/train.py", *DATA, *DESIGN, *smoke)})


def checks_record(report: str, count: int) -> Record:
    """What the verdict will rest on, and the test that checked it. All tests passed: otherwise the stage has ended."""
    command, log = "python workspace/code/test_study.py", "workspace/notes/tests.txt"
    checks = [
        {"name": name, "test": test, "command": command, "outcome": "pass", "log": log}
        for name, test in CHECKED.items()
        if test in report
    ]
    return {"checks": checks, "tests": {"command": command, "passed": count, "failed": 0, "skipped": 0, "log": log}}


def experimentation(study: Study) -> DemoSummary:
    """05: every planned run, those of a seed in one process; what fails is kept and listed."""
    design = study.design()
    planned = planned_runs(design)
    write_rows(study, "results/planned.csv", planned)
    ends = dict(
        zip(design["seeds"], at_once(design["seeds"], lambda seed: train_seed(study, planned, seed)), strict=True)
    )
    runs = [{**run, **outcome(study, run, ends[run["seed"]])} for run in planned]
    write_rows(study, "results/runs.csv", runs)
    arms = {arm: arm_facts([run for run in runs if is_noisy(run) and run["arm"] == arm]) for arm in design["arms"]}
    failed = [
        f"{run['arm']} seed {run['seed']} {run['condition']}: {run['reason']}" for run in runs if run["status"] != "ok"
    ]
    counts = {"planned": len(planned), "ok": len(planned) - len(failed), "failed": failed}
    study.write_record("results/summary.json", {"experiment": design["experiment"], **counts, "arms": arms})
    values = {
        "COMMAND": design["command"],
        "SEEDS": len(design["seeds"]),
        "PLANNED": len(planned),
        "OK": counts["ok"],
        "FAILED": len(failed),
        "FAILURES": f" ({'; '.join(failed)})" if failed else "",
        "TUNING": tuning_text(study),
        "ARMS": "\n".join(f"| {arm} | {' | '.join(map(str, row.values()))} |" for arm, row in arms.items()),
    }
    return study.summary(values)


def planned_runs(design: Mapping[str, Any]) -> list[Record]:
    """A row for each run that the design asks for, seed by seed."""
    return [
        {
            "experiment": design["experiment"],
            "condition": condition,
            "role": role,
            "arm": arm,
            "seed": seed,
            "record": f"workspace/results/{design['experiment']}/{condition}/{arm}/seed-{seed}/metrics.json",
        }
        for seed in design["seeds"]
        for condition, role in design["conditions"].items()
        for arm in design["arms"]
    ]


def is_noisy(run: Mapping[str, object]) -> bool:
    return run["condition"] == "noisy"


def train_seed(study: Study, planned: Sequence[Record], seed: int) -> ProgramResult:
    """Makes all runs of a seed. Records of an earlier attempt go first: they would pass for new ones."""
    for run in planned:
        if run["seed"] == seed:
            (study.root / str(run["record"])).unlink(missing_ok=True)
    experiment = planned[0]["experiment"]
    words = ("--seed", str(seed), *DATA, *DESIGN, "--out", f"workspace/results/{experiment}")
    ran = study.python("code/train.py", *words, log=f"train-{seed}")
    utter("tool", f"python train.py --seed {seed}: {ran.last_line}")
    return ran


def outcome(study: Study, run: Record, ran: ProgramResult) -> Record:
    """The end of a run, from its own record. A run without a readable record counts as crashed."""
    try:
        record = json.loads((study.root / str(run["record"])).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {"status": "crash", "reason": f"train.py ended with {ran.exit_code}"}
    metrics = {name: record.get("metrics", {}).get(name, "") for name in METRICS}
    return {"status": record["status"], "reason": record["reason"], **metrics}


def tuning_text(study: Study) -> str:
    """What the experiment that stage 04 planned found, in the words of its own record."""
    path = study.root / "workspace" / "results" / "tuning" / "experiment.json"
    if not path.is_file():
        return "The experiment `tuning` was not run."
    found = json.loads(path.read_text(encoding="utf-8"))
    best, metric = found["best"], found["metric"]["name"]
    if best["value"] is None:
        return f"The experiment `tuning` made {found['runs']} runs, none of them valid."
    kept = "no other value beat the design's own" if best["run"] == "r0001" else f"it kept {best['note']}"
    return (
        f"The experiment `tuning` (exploratory, on images of the pool only) made {found['runs']} runs: "
        f"{kept}, with a {metric} of {best['value']:.2f}."
    )


def arm_facts(runs: Sequence[Mapping[str, Any]]) -> Record:
    """One arm by itself."""
    errors = [float(run["test_error_percent"]) for run in runs if run["status"] == "ok"]
    if not errors:
        return {"n": 0, "mean": None, "lowest": None, "highest": None}
    mean = round(sum(errors) / len(errors), 2)
    return {"n": len(errors), "mean": mean, "lowest": round(min(errors), 2), "highest": round(max(errors), 2)}


def write_rows(study: Study, place: str, rows: Sequence[Mapping[str, object]]) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    study.write(place, stream.getvalue())


def analysis(study: Study) -> DemoSummary:
    """06: the comparison by the rule that was fixed before, and the figures."""
    design = study.design()
    study.record("results/summary.json", "05")
    study.must("code/analyse.py", *DESIGN, *RESULTS, "--out", "workspace/results")
    study.must("code/draw_figures.py", "--out", "workspace/figures")
    found, more = study.record("results/analysis.json", "06"), study.record("results/exploratory.json", "06")
    noisy, clean, margin = more["arms"]["noisy"], more["arms"]["clean"], more["margin"]
    memorised = (f"{arm} {mean_text(each['memorised_percent'], '.0f')}" for arm, each in noisy.items())
    saved = (f"{arm} {mean_text(each, '+.1f')}" for arm, each in more["ablation"].items())
    lowest = (f"{arm} {low_text(each)}" for arm, each in more["lowest_on_the_way"].items())
    values = {
        "ANSWER": answer_text(found),
        "PAIRS": len(design["seeds"]),
        "TRICKS": "\n".join(trick_row(arm, each) for arm, each in found["tricks"].items()),
        "PLAIN": mean_text(noisy["plain"]["test_error_percent"], ".1f"),
        "PLAIN_CLEAN": mean_text(clean["plain"]["test_error_percent"], ".1f"),
        "MEMORISED": ", ".join(memorised),
        "ABLATION": ", ".join(saved),
        "LOWEST": ", ".join(lowest),
        "CLIPPED": "no" if more["clipped_percent"] is None else f"{more['clipped_percent']:.1f} % of the",
        "MARGIN": f"{margin['of']} over {margin['over']}, {mean_text(margin, '+.2f')} points ({interval_text(margin)})",
        "CONFUSED": ", ".join(confusion_text(each) for each in more["worst_confusions"][:3]),
        "FAILED": ", ".join(found["failed_runs"]) or "none",
    }
    return study.summary(values)


def answer_text(found: Mapping[str, Any]) -> str:
    """The outcome of the study in one sentence."""
    best, least = found["best"], found["minimum_effect"]
    if best:
        return f"{best.capitalize()} helps most: it saves {found['tricks'][best]['mean']:.1f} points of test error."
    if any(each["verdict"] == "INCONCLUSIVE" for each in found["tricks"].values()):
        return "No trick is shown to help."
    return f"No trick helps: a gain of {least:g} point of test error is ruled out for each of them."


def verdicts_text(found: Mapping[str, Any]) -> str:
    """The verdict of each trick with its mean, in one line."""
    return ", ".join(f"{arm} {each['verdict']} ({each['mean']:+.1f})" for arm, each in found["tricks"].items())


def trick_row(arm: str, each: Mapping[str, Any]) -> str:
    gain, p_value = f"{each['mean']:+.2f}", f"{each['p_corrected']:.4f}"
    return f"| {arm} | {gain} | {interval_text(each)} | {p_value} | {each['pairs_in_favour']} | {each['verdict']} |"


def interval_text(each: Mapping[str, Any]) -> str:
    return "{:+.2f} to {:+.2f}".format(*each["interval_95"])


def mean_text(each: Mapping[str, Any], form: str) -> str:
    return "unknown" if each["mean"] is None else format(each["mean"], form)


def low_text(each: Mapping[str, Any] | None) -> str:
    return "{test_error_percent:.1f} % (epoch {epoch:.0f})".format(**each) if each else "unknown"


def confusion_text(each: Mapping[str, Any]) -> str:
    return f"{each['digit']} taken for {each['taken_for']} ({each['noisy']:.1f} % and {each['clean']:.1f} %)"
