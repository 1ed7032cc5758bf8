"""Tests what Flagstone does not test, on the files of the study: readiness.json. No outcome is written by hand."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

Outcome = tuple[str, str]
Check = Callable[[Path], Outcome]

PASS, FAIL, NOT_CHECKED = "pass", "fail", "not checked"


def outcome_of(is_fine: bool, evidence: str) -> Outcome:
    return (PASS if is_fine else FAIL), evidence


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def data_unchanged(workspace: Path) -> Outcome:
    files = [file for each in load(workspace / "data/manifest.json")["datasets"] for file in each["files"]]
    now = [hashlib.sha256((workspace.parent / file["path"]).read_bytes()).hexdigest() for file in files]
    wrong = [file["path"] for file, digest in zip(files, now, strict=True) if file["sha256"] != digest]
    return outcome_of(not wrong, f"{len(files) - len(wrong)} of {len(files)} files as the manifest says.")


def runs_complete(workspace: Path) -> Outcome:
    import analyse  # type: ignore[import-not-found, unused-ignore]

    planned, made = (analyse.read_runs(workspace / "results" / f"{name}.csv") for name in ("planned", "runs"))
    names = [{(run["condition"], run["arm"], run["seed"]) for run in runs} for runs in (planned, made)]
    failed = sum(run["status"] != "ok" for run in made)
    return outcome_of(names[0] == names[1], f"{len(planned)} planned, {len(made)} reported, {failed} of them failed.")


def analysis_again(workspace: Path) -> Outcome:
    import analyse  # type: ignore[import-not-found, unused-ignore]

    design, before = load(workspace / "data/design.json"), load(workspace / "results/analysis.json")
    again = analyse.confirmation(analyse.read_runs(workspace / "results/runs.csv"), design)
    verdicts = (f"{arm} {each['verdict']}" for arm, each in again["tricks"].items())
    return outcome_of(again == before, f"Computed again: {', '.join(verdicts)}.")


def one_run_again(workspace: Path) -> Outcome:
    """One of the runs that finished, drawn by lot; what failed has no numbers to compare."""
    import analyse  # type: ignore[import-not-found, unused-ignore]
    import numpy as np
    import train  # type: ignore[import-not-found, unused-ignore]

    design = load(workspace / "data/design.json")
    finished = [run for run in analyse.read_runs(workspace / "results/runs.csv") if run["status"] == "ok"]
    run = finished[np.random.default_rng(design["data"]["data_seed"]).integers(len(finished))]
    condition, arm, seed = run["condition"], run["arm"], int(run["seed"])
    before = load(workspace.parent / run["record"])
    with np.errstate(all="ignore"):
        trained = train.train(design, condition, arm, seed, train.read_data(workspace / "data", seed))
    again = train.record(design, condition, arm, seed, trained)
    errors = (record["metrics"].get("test_error_percent") for record in (before, again))
    return outcome_of(before == again, "{} seed {}, {}: {} % before, {} % now.".format(arm, seed, condition, *errors))


def tests_pass(workspace: Path) -> Outcome:
    import test_study  # type: ignore[import-not-found, unused-ignore]

    suite = unittest.defaultTestLoader.loadTestsFromModule(test_study)
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    return outcome_of(result.wasSuccessful(), f"{result.testsRun} tests ran.")


CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("data", "Are the data those of the manifest?", data_unchanged),
    ("runs", "Are all planned runs reported?", runs_complete),
    ("analysis", "Does the analysis give the same again?", analysis_again),
    ("repeat", "Does a run drawn by lot give the same again?", one_run_again),
    ("tests", "Do the tests of the code pass?", tests_pass),
)


def carry_out(workspace: Path, row: tuple[str, str, Check]) -> dict[str, Any]:
    """One check; what cannot be carried out has failed, with the reason."""
    name, question, check = row
    try:
        outcome, evidence = check(workspace)
    except Exception as error:
        outcome, evidence = FAIL, f"The check could not be carried out: {type(error).__name__}."
    return {
        "id": name,
        "question": question,
        "outcome": outcome,
        "evidence": evidence,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    workspace: Path = parser.parse_args().workspace
    sys.path.insert(0, str((workspace / "code").resolve()))
    checks = [carry_out(workspace, row) for row in CHECKS]
    tally = {word: sum(check["outcome"] == word for check in checks) for word in (PASS, FAIL, NOT_CHECKED)}
    counts = ", ".join(f"{number} {word}" for word, number in tally.items())
    record = {"program": "workspace/reviews/check_readiness.py", "counts": tally, "checks": checks}
    (workspace / "reviews/readiness.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{counts}\n")


if __name__ == "__main__":
    main()
