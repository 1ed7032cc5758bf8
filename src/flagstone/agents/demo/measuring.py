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
from flagstone.agents.demo.summary import Summary
from flagstone.errors import WorkFailed

PROGRAMS = ("train.py", "tune.py", "analyse.py", "draw_figures.py", "render_paper.py", "test_train.py")
DESIGN = ("--design", "workspace/data/design.json")
DATA = ("--data", "workspace/data")
RESULTS = ("--results", "workspace/results")
TEST_TIME = re.compile(r" in \d+\.\d+s$", re.MULTILINE)
TEST_COUNT = re.compile(r"^Ran (\d+) tests", re.MULTILINE)
RUN_COLUMNS = (
    "experiment",
    "arm",
    "seed",
    "role",
    "status",
    "reason",
    "test_loss",
    "test_error",
    "train_loss",
    "record",
)
METRICS = ("test_loss", "test_error", "train_loss")


def implementation(study: Study) -> Summary:
    """04: the programs of the study, those of the analysis included, tested before any result exists."""
    study.design()
    study.bring(*PROGRAMS, "requirements.txt", to="code")
    study.bring("tuning.yaml", to="experiments")
    tests = study.python("code/test_train.py")
    report = TEST_TIME.sub("", tests.said)
    count = TEST_COUNT.search(report)
    study.write("notes/tests.txt", report)
    utter("tool", f"python test_train.py: {tests.last_line}")
    if tests.exit_code != 0 or count is None:
        raise WorkFailed("the tests of the study's own code fail", hint="read workspace/notes/tests.txt")
    smoke = ("--arm", "warmup", "--seed", "0", *DATA, *DESIGN, "--steps", "40", "--out", "workspace/notes/smoke")
    return study.summary({"TESTS": count[1], "SMOKE": study.must("code/train.py", *smoke)})


def experimentation(study: Study) -> Summary:
    """05: every planned run, each in a process of its own; what fails is kept and listed."""
    design = study.design()
    planned = [(arm, seed) for seed in design["seeds"] for arm in design["arms"]]
    write_rows(study, "results/planned.csv", [planned_row(design, arm, seed) for arm, seed in planned])
    runs = at_once(planned, lambda pair: one_run(study, design, *pair))
    write_rows(study, "results/runs.csv", runs)
    arms = {arm: described([run for run in runs if run["arm"] == arm]) for arm in design["arms"]}
    failed = [f"{run['arm']} seed {run['seed']}: {run['reason']}" for run in runs if run["status"] != "ok"]
    counts = {"planned": len(planned), "ok": len(planned) - len(failed), "failed": failed}
    study.write_record("results/summary.json", {"experiment": design["experiment"], **counts, "arms": arms})
    values = {
        "COMMAND": design["command"],
        "SEEDS": len(design["seeds"]),
        "PLANNED": len(planned),
        "OK": counts["ok"],
        "FAILED": len(failed),
        "FAILURES": f" ({'; '.join(failed)})" if failed else "",
        "TUNING": tuned(study),
        "ARMS": "\n".join(f"| {arm} | {' | '.join(map(str, row.values()))} |" for arm, row in arms.items()),
    }
    return study.summary(values)


def tuned(study: Study) -> str:
    """What the experiment that stage 04 planned came to, in the words of its own record."""
    path = study.root / "workspace" / "results" / "tuning" / "experiment.json"
    if not path.is_file():
        return "The experiment `tuning` was not run."
    found = json.loads(path.read_text(encoding="utf-8"))
    best, metric = found["best"], found["metric"]["name"]
    if best["value"] is None:
        return f"The experiment `tuning` came to no valid run in {found['runs']}."
    kept = "keeps the rate of the design" if best["run"] == "r0001" else f"kept: {best['note']}"
    return (
        f"The experiment `tuning` (exploratory, on training rows only) made {found['runs']} runs: "
        f"{metric} {best['value']:.4f}; {kept}."
    )


def folder_of(design: Mapping[str, Any], arm: str, seed: int) -> str:
    return f"results/{design['experiment']}/{arm}/seed-{seed}"


def planned_row(design: Mapping[str, Any], arm: str, seed: int) -> dict[str, object]:
    place = folder_of(design, arm, seed)
    return {
        "experiment": design["experiment"],
        "arm": arm,
        "seed": seed,
        "role": "confirmation",
        "folder": f"workspace/{place}",
    }


def one_run(study: Study, design: Mapping[str, Any], arm: str, seed: int) -> dict[str, object]:
    """Trains once and returns the run's row; a run without a readable record of its own counts as crashed."""
    place = folder_of(design, arm, seed)
    record = study.path(f"{place}/metrics.json")
    record.unlink(missing_ok=True)
    words = ("--arm", arm, "--seed", str(seed), *DATA, *DESIGN, "--out", f"workspace/{place}")
    ran = study.python("code/train.py", *words, log=f"train-{arm}-{seed}")
    utter("tool", f"python train.py --arm {arm} --seed {seed}: {ran.last_line}")
    return {**planned_head(design, arm, seed), **outcome(study, f"{place}/metrics.json", ran)}


def planned_head(design: Mapping[str, Any], arm: str, seed: int) -> dict[str, object]:
    row = planned_row(design, arm, seed)
    del row["folder"]
    return row


def outcome(study: Study, place: str, ran: ProgramResult) -> dict[str, object]:
    try:
        record = (
            json.loads((study.root / "workspace" / place).read_text(encoding="utf-8")) if ran.exit_code == 0 else {}
        )
    except (OSError, ValueError):
        record = {}
    metrics = {name: record.get("metrics", {}).get(name, "") for name in METRICS}
    status = record.get("status", "crash")
    reason = record.get("reason", f"train.py ended with {ran.exit_code}")
    return {"status": status, "reason": reason, **metrics, "record": f"workspace/{place}"}


def described(runs: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """One arm by itself."""
    losses = [float(run["test_loss"]) for run in runs if run["status"] == "ok"]
    if not losses:
        return {"n": 0, "mean": None, "lowest": None, "highest": None}
    mean = round(sum(losses) / len(losses), 4)
    return {"n": len(losses), "mean": mean, "lowest": round(min(losses), 4), "highest": round(max(losses), 4)}


def write_rows(study: Study, place: str, rows: Sequence[Mapping[str, object]]) -> None:
    stream = io.StringIO()
    columns = RUN_COLUMNS if "status" in rows[0] else tuple(rows[0])
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    study.write(place, stream.getvalue())


def analysis(study: Study) -> Summary:
    """06: the comparison by the rule that was fixed before, and the figures."""
    study.design()
    study.record("results/summary.json", "05")
    study.must("code/analyse.py", *DESIGN, *RESULTS, "--out", "workspace/results")
    study.must("code/draw_figures.py", *DESIGN, *DATA, *RESULTS, "--out", "workspace/figures")
    found = study.record("results/analysis.json", "06")
    loss, error = found["primary"], found["secondary"]
    values = {
        "VERDICT": found["verdict"],
        "CONSTANT": f"{loss['constant']['mean']:.4f}",
        "WARMUP": f"{loss['warmup']['mean']:.4f}",
        "DIFFERENCE": f"{loss['difference']:+.4f}",
        "LOW": f"{loss['interval_95'][0]:+.4f}",
        "HIGH": f"{loss['interval_95'][1]:+.4f}",
        "P": f"{loss['p_value']:.4f}",
        "PAIRS": loss["pairs"],
        "IN_FAVOUR": loss["pairs_in_favour"],
        "ERROR": f"{100 * error['difference']:+.2f}",
        "ERROR_P": f"{error['p_value']:.4f}",
        "FAILED": ", ".join(found["failed_runs"]) or "none",
    }
    return study.summary(values)
