"""What rests on GPU memory is not begun where that cannot be measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from entries import spec_for
from laboratory import Laboratory

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.block import Job, run_block
from flagstone.experiments.measuring import environment
from flagstone.experiments.measuring.environment import refuse_if_unmeasured
from flagstone.layout import Run
from flagstone.plans.plan import Plan

HARNESS = {"argv": ["python", "train.py"], "gpus": 1}


@pytest.fixture
def _blind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "gpu_memory_fault", lambda: "no driver")


@pytest.mark.usefixtures("_blind")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"harness": {**HARNESS, "gpu_memory_mb": 100}}, "harness.gpu_memory_mb"),
        ({"harness": HARNESS, "constraints": ["peak_vram_mb <= 40000"]}, "the constraint on peak_vram_mb"),
        ({"harness": HARNESS, "metric": {"name": "peak_vram_mb", "direction": "min"}}, "the metric peak_vram_mb"),
    ],
)
def test_what_rests_on_memory_that_nobody_measures_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(FlagstoneError, match=rf"{words}.*does not work here: no driver"):
        refuse_if_unmeasured(spec_for(tmp_path, **changes))


@pytest.mark.usefixtures("_blind")
@pytest.mark.parametrize(
    "changes",
    [{"harness": HARNESS}, {"harness": {**HARNESS, "gpus": 0}, "constraints": ["peak_vram_mb <= 40000"]}],
)
def test_what_does_not_is_not(tmp_path: Path, changes: dict[str, Any]) -> None:
    refuse_if_unmeasured(spec_for(tmp_path, **changes))


def test_where_it_can_be_measured_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "gpu_memory_fault", lambda: "")
    refuse_if_unmeasured(spec_for(tmp_path, harness={**HARNESS, "gpu_memory_mb": 100}))


@pytest.mark.usefixtures("_blind")
def test_a_block_of_such_an_experiment_does_not_begin(laboratory: Laboratory) -> None:
    laboratory.make(harness={**HARNESS, "gpu_memory_mb": 100})
    plan = Plan(Run(laboratory.project), "one", laboratory.home.spec)
    with pytest.raises(FlagstoneError, match="does not work here"):
        run_block(Job(plan, plan.block(1)), Path(__file__).parents[3] / "schemas", lambda _: None, print)
