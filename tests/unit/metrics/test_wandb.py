"""What a wandb run has summed up; the transaction log is one that wandb 0.31 wrote, offline."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import pytest

from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place

REAL = Path(__file__).resolve().parents[2] / "data" / "wandb_offline_run" / "run-example.wandb"


def offline(place: Place, name: str = "offline-run-20260101_000000-abc") -> Path:
    folder = place.run_dir / "wandb" / name
    folder.mkdir(parents=True)
    shutil.copyfile(REAL, folder / "run-abc.wandb")
    return folder


def test_the_transaction_log_of_a_real_offline_run_is_read(place: Place) -> None:
    offline(place)
    found = read_metrics("wandb", {}, place, ["val/loss"])
    assert found.values["val/loss"] == 0.2
    assert (found.values["final"], found.values["nested/a"], found.values["nested.a"]) == (7.5, 4.0, 4.0)
    assert math.isnan(found.values["bad"])


@pytest.mark.parametrize("size", range(0, 2488, 311))
def test_a_log_that_is_cut_off_tells_what_it_holds(place: Place, size: int) -> None:
    folder = offline(place)
    (folder / "run-abc.wandb").write_bytes(REAL.read_bytes()[:size])
    assert set(read_metrics("wandb", {}, place, ["val/loss"]).values.values()) <= {
        *(1 / n for n in range(1, 6)),
        *read_metrics("wandb", {}, place, []).values.values(),
    }


def test_a_summary_file_counts_before_the_log(place: Place) -> None:
    files = offline(place) / "files"
    files.mkdir()
    (files / "wandb-summary.json").write_text('{"val": {"loss": 0.125}, "x": "NaN", "name": "run"}')
    values = read_metrics("wandb", {}, place, ["val/loss"]).values
    assert values["val/loss"] == values["val.loss"] == 0.125
    assert math.isnan(values["x"]) and "name" not in values


def test_the_run_of_another_time_is_not_read(place: Place) -> None:
    old = offline(place)
    os.utime(old / "run-abc.wandb", (1, 1))
    assert read_metrics("wandb", {}, place, ["val/loss"]).values == {}


def test_garbage_in_place_of_a_log_is_a_problem_and_no_crash(place: Place) -> None:
    (offline(place) / "run-abc.wandb").write_bytes(bytes(range(256)) * 500)
    found = read_metrics("wandb", {}, place, ["val/loss"])
    assert found.values == {} and "no summary" in found.problems[0]


def test_auto_looks_for_wandb_first_and_says_so(place: Place) -> None:
    place.log.write_text("val/loss: 9\n")
    assert read_metrics("auto", {}, place, ["val/loss"]).backend == "log"
    offline(place)
    found = read_metrics("auto", {}, place, ["val/loss"])
    assert (found.backend, found.values["val/loss"]) == ("wandb", 0.2)
