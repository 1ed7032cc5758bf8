"""Trials that stages 03 and 04 planned, run by Snakemake before stage 05."""

from __future__ import annotations

import json

from planned_experiments import plan as plan_experiment
from planned_trials import lines, plan_trial, runs
from workbench import Place, Study


def test_snakemake_takes_a_trial_from_its_plan_to_its_verdict_and_then_builds_the_stage(
    place: Place, trial: Study
) -> None:
    said = place.snakemake("--max-jobs-per-timespan", "1/1h")  # a limit does not hold for jobs on this machine
    assert said.code == 0 and "waits for you" in said.last, said.text
    (verdict,) = lines(trial, "verdict")
    assert verdict["ideas"][0]["outcome"] == "SUPPORTED" and len(verdict["seeds"]) == 8
    assert sorted(runs(trial)[:6]) == [f"control-{slot}" for slot in ("a1", "a1r2", "a2", "a3", "a4", "a5")]
    assert len(runs(trial)) == len(set(runs(trial)))
    assert json.loads((trial.root / "trials" / "fast" / "verdict.json").read_text())["outcome"] == "SUPPORTED"
    pairs = verdict["ideas"][0]["confirmation"]["pairs"]
    assert [pair["seed"] for pair in pairs] == [verdict["seeds"][pair["slot"]] for pair in pairs]
    assert trial.counts()["05"] == 1
    before = runs(trial)
    again = place.snakemake()
    assert "Nothing to be done" in again.text and runs(trial) == before


def test_no_run_of_a_trial_is_made_before_its_plan_is_approved(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan_trial(study)
    assert place.flagstone("run", "t", "--yes", "--to", "03").code == 0
    assert place.snakemake().code == 0
    assert runs(study) == []


def test_a_plan_that_comes_after_the_approval_closes_the_gate_and_is_approved_with_it(
    place: Place, trial: Study
) -> None:
    plan = plan_trial(trial, "late", screen="off")
    said = place.snakemake()
    assert "stage 04 implementation is stale" in said.last and "workspace/trials/late.yaml is new" in said.last
    assert runs(trial, "late") == [] and runs(trial) == []
    assert place.flagstone("approve", "04").code == 0
    assert "workspace/trials/late.yaml" in trial.seals("04")[-1]["files"]
    plan.write_text(plan.read_text().replace("minimum_effect: 0.05", "minimum_effect: 0.04"))
    said = place.snakemake()
    assert "workspace/trials/late.yaml changed" in said.last and runs(trial, "late") == []


def test_a_late_plan_of_an_experiment_closes_the_gate_too(place: Place, trial: Study) -> None:
    plan_experiment(trial, "late")
    said = place.snakemake()
    assert "stage 04 implementation is stale" in said.last and "workspace/experiments/late.yaml is new" in said.last
    assert not (trial.root / "experiments" / "late").exists() and runs(trial) == []
