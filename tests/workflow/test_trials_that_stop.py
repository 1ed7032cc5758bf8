"""Trials that are killed, fail or are called twice: no run is made twice, and nothing draws a failure again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from planned_trials import TRAIN, lines, plan_trial, runs
from workbench import Place, Study, ended, wait_until

from flagstone.records import Ledger

# each run leaves a line when it starts and another one when it has its number
COUNTED = """import os, pathlib, time
def note(what):
    with open(pathlib.Path({counter!r}), "a") as stream:
        stream.write(what + " " + os.environ["SEED"] + " " + " ".join(sys.argv[1:]) + "\\n")
"""


def counted(study: Study, *, pause_s: float = 0.0) -> str:
    own = COUNTED.format(counter=str(study.root / "counter"))
    return f"import sys\n{own}note('began')\ntime.sleep({pause_s})\n{TRAIN}note('ended')\n"


def planned_trial(place: Place, *, pause_s: float = 0.0, train: str = "", **changes: object) -> Study:
    """A run whose stages 01 to 04 are approved, with one trial whose program counts its runs."""
    study = place.new("t", "sandbox=off")
    plan_trial(study, train=train or counted(study, pause_s=pause_s), **changes)
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    return study


def starts(study: Study, what: str = "began") -> Counter[str]:
    """How often the program was started with these words on this seed."""
    path = study.root / "counter"
    rows = path.read_text().splitlines() if path.exists() else []
    return Counter(row.partition(" ")[2] for row in rows if row.startswith(what))


def records(study: Study) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (study.root / "trials" / "fast" / "records").glob("*.json")}


def looks(study: Study) -> list[Path]:
    return sorted((study.root / "trials" / "fast" / "looks").glob("*.json"))


def kill(process: subprocess.Popen[bytes], study: Study) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    subprocess.run(["pkill", "-9", "-f", str(study.root)], check=False)


MOMENTS = [("records", 7), ("looks", 2)]
MORE = [
    ("records", 1),
    ("records", 12),
    ("records", 3),
    ("looks", 1),
    ("records", 6),
    ("looks", 3),
    ("records", 9),
    ("looks", 4),
    ("records", 16),
]


@pytest.mark.parametrize(("what", "after"), [*MOMENTS, *(pytest.param(*each, marks=pytest.mark.slow) for each in MORE)])
def test_kill_9_loses_no_finished_run_and_makes_none_twice(place: Place, what: str, after: int) -> None:
    study = planned_trial(place, pause_s=0.1)
    process = place.start_snakemake()
    wait_until(lambda: len(records(study) if what == "records" else looks(study)) >= after, f"{after} {what}")
    kill(process, study)
    before, begun = records(study), sum(starts(study).values())
    assert place.snakemake().code == 0
    after_all = records(study)
    assert {name: after_all[name] for name in before} == before
    assert len(runs(study)) == len(set(runs(study))) == len(after_all)
    # at most the two runs that were under way began again
    assert sum(starts(study).values()) <= len(after_all) + 2 and begun >= len(before)
    assert len(lines(study, "verdict")) == len(lines(study, "prereg")) == 1
    assert Ledger(study.root / "trials" / "fast" / "ledger.jsonl").problems() == []


def test_two_callers_at_once_make_each_run_once(place: Place) -> None:
    study = planned_trial(place, pause_s=0.2)
    process = place.start_snakemake()
    wait_until(lambda: len(records(study)) >= 1, "the first run")
    second = place.snakemake()
    assert second.code == 1 and "in use by process" in second.text
    assert ended(process).code == 0
    assert len(runs(study)) == sum(starts(study).values()) == len(records(study))


def test_a_caller_after_a_kill_waits_for_the_run_that_lives_on_and_takes_its_number(place: Place) -> None:
    study = planned_trial(place, pause_s=2.0)
    process = place.start_snakemake()
    wait_until(lambda: sum(starts(study).values()) >= 2, "two runs under way")
    process.kill()
    process.wait()
    assert place.snakemake().code == 0
    assert len(runs(study)) == len(set(runs(study)))


def test_retries_do_not_draw_a_failed_run_again(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    train = counted(study) + "if '--fast' in sys.argv and os.environ['SEED'] == '137': raise SystemExit(3)\n"
    study = planned_again(place, study, train)
    said = place.snakemake("--retries", "3")
    assert said.code == 0, said.text
    (failed,) = [row for row in lines(study, "run") if row["status"] == "crash"]
    assert (failed["arm"], failed["slot"]) == ("treated", "a2")
    assert starts(study)["137 --fast"] == 1
    assert lines(study, "verdict")[0]["ideas"][0]["outcome"] == "DROPPED AT SCREEN"


def planned_again(place: Place, study: Study, train: str) -> Study:
    plan_trial(study, train=train)
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    return study


def test_a_baseline_that_does_not_run_is_the_last_thing_said(place: Place) -> None:
    study = planned_trial(place, train="raise ValueError('no data')\n")
    said = place.snakemake()
    assert said.code == 1 and "Traceback" not in said.text.partition("At least one job")[2]
    assert "the baseline of trial fast does not run: control-a1 crash: exit code 1" in said.text
    assert "no data" in said.lines[-2] and "run.log" in said.last
    assert study.counts()["05"] == 0


def test_runs_of_a_sequential_trial_never_overlap(place: Place) -> None:
    study = planned_trial(place, pause_s=0.2, sequential=True)
    assert place.snakemake("--cores", "2").code == 0
    rows = [row.split()[0] for row in (study.root / "counter").read_text().splitlines()]
    assert rows == ["began", "ended"] * (len(rows) // 2) and len(rows) > 20


def test_a_plan_that_is_approved_again_begins_a_new_trial_and_keeps_the_old_one(place: Place) -> None:
    study = planned_trial(place)
    assert place.snakemake().code == 0
    began = sum(starts(study).values())
    changed = plan_trial(study, train=counted(study), minimum_effect=0.04)
    place.snakemake()
    for _ in range(4):
        study.touch("01", "02", "03", "04")
        place.snakemake()
    (folder,) = (study.root / "trials" / "fast" / "history").iterdir()
    assert len(Ledger(folder / "ledger.jsonl").entries()) > 20 and "0.04" in changed.read_text()
    assert [row["number"] for row in lines(study, "prereg")] == [2]
    seeds = json.loads((folder / "ledger.jsonl").read_text().splitlines()[-1])["seeds"]
    assert set(seeds.values()).isdisjoint(lines(study, "verdict")[0]["seeds"].values())
    # baseline, checks and screen hold for the same, and are used again; the confirmation is on fresh seeds
    confirmed = [row for row in runs(study) if "-b" in row]
    assert sum(starts(study).values()) == began + len(confirmed)


def test_the_gate_cohens_d_compares_with_the_switch_off(place: Place) -> None:
    study = planned_trial(place, gate="cohens_d")
    assert place.snakemake().code == 0
    (idea,) = lines(study, "verdict")[0]["ideas"]
    assert idea["outcome"] == "PROCEED"
    assert {row for row in runs(study) if row.startswith("treated-off")} == {f"treated-off-a{k}" for k in (1, 2, 3)}
    assert not any("-b" in row for row in runs(study))


def test_a_record_is_not_made_behind_a_closed_gate(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan_trial(study, train=counted(study))
    said = place.snakemake("trials/fast/records/control-a1.json")
    assert said.code == 1 and "closed gate" in said.text
    assert not starts(study)


def test_an_interrupted_run_is_no_outcome_and_is_made_again_on_its_seed(place: Place) -> None:
    study = planned_trial(place, pause_s=1.0)
    process = place.start_snakemake()
    wait_until(lambda: len(records(study)) >= 2, "two runs")
    time.sleep(0.5)  # the next two, which take a second, have begun
    os.killpg(process.pid, signal.SIGINT)
    said = ended(process)
    assert said.code == 1 and "the same command continues" in said.last and not said.has_traceback, said.text
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    assert {row["status"] for row in lines(study, "run")} == {"ok"}
    assert len(lines(study, "verdict")) == 1


def test_a_dry_run_names_the_next_step_and_changes_nothing(place: Place, trial: Study) -> None:
    said = place.snakemake("-n")
    assert said.code == 0 and "trials/fast/looks/000.json" in said.text
    assert not (trial.root / "trials").exists()
