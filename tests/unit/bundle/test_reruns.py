"""Tests that runs of a packed trial are run again, in the sandbox or not at all, and that another number is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from changed_bundles import BUNDLES, repacked

from flagstone.agents import strength
from flagstone.bundle import VerifyOptions, verify_bundle
from flagstone.bundle.verification.opening import opened_bundle
from flagstone.bundle.verification.rerunning import RunAgain, outcome_of, runs_of
from flagstone.bundle.verification.trials import packed_trials
from flagstone.experiments.measuring import Harness, Measurement, Order
from flagstone.layout import Run, shipped_files

OPEN = b'\nsandbox: "off"\n'
SANDBOX = pytest.mark.skipif(bool(strength().bubblewrap_fault), reason="bubblewrap cannot be used here")


@pytest.fixture
def run() -> Iterator[RunAgain]:
    with opened_bundle(BUNDLES / "campaign.zip") as folder:
        (trial,) = packed_trials(Run(folder), shipped_files() / "schemas", ())
        yield next(run for run in runs_of(trial) if run.line.slot == "b1")


@pytest.mark.parametrize(("shift", "held"), [(0.0, True), (5.0, False)])
def test_another_number_than_the_recorded_one_does_not_hold(
    run: RunAgain, monkeypatch: pytest.MonkeyPatch, shift: float, held: bool
) -> None:
    """The repeats of this trial are equal, bit by bit, so that no difference is allowed."""
    assert run.line.value is not None and run.tolerance == 0
    monkeypatch.setattr(RunAgain, "value", lambda each: each.line.value + shift)
    assert outcome_of(run)[0] is held


def test_a_difference_as_between_repeats_holds(run: RunAgain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunAgain, "tolerance", 0.5)
    monkeypatch.setattr(RunAgain, "value", lambda each: each.line.value + 0.4)
    assert outcome_of(run)[0] is True
    monkeypatch.setattr(RunAgain, "value", lambda each: each.line.value + 0.6)
    assert outcome_of(run)[0] is False


def test_a_run_that_gives_no_number_any_more_does_not_hold(run: RunAgain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunAgain, "value", lambda _: None)
    assert outcome_of(run) == (False, f"{run.name}: {run.line.value:g} as recorded, and no value now")


@SANDBOX
def test_runs_are_run_again_in_the_sandbox() -> None:
    found = {line.name: line for line in verify_bundle(BUNDLES / "campaign.zip", VerifyOptions(reruns=2))}
    assert found["reruns"].held, found["reruns"].text
    assert found["reruns"].text.count("the same now") == 2


def test_no_word_of_a_bundle_opens_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own settings ask for none, and for a network."""
    asked: list[tuple[str, bool, tuple[str, ...]]] = []

    def note(harness: Harness, order: Order) -> Measurement:
        asked.append((harness.spec.sandbox, harness.spec.harness.network, harness.spec.harness.writable))
        return Measurement(order.part, order.seed, "crash")

    monkeypatch.setattr(Harness, "measure", note)
    bundle = repacked("campaign.zip", tmp_path, lambda files: files.update({"run.yaml": files["run.yaml"] + OPEN}))
    list(verify_bundle(bundle, VerifyOptions(reruns=1)))
    assert asked == [("require", False, ())]
