"""What the name of a metric says."""

from __future__ import annotations

import pytest

from flagstone.plans.direction import direction_of, is_time


@pytest.mark.parametrize(
    "name",
    [
        "seconds",
        "build_s",
        "wall_s",
        "latency/p99",
        "step_time",
        "tokens_per_sec",
        "throughput",
        "p50_ms",
        "charts/SPS",
        "mfu",
    ],
)
def test_a_time_or_a_rate_is_known_by_its_name(name: str) -> None:
    assert is_time(name)


@pytest.mark.parametrize("name", ["val_loss", "accuracy", "timeouts", "peak_vram_mb", "times_more", "loss"])
def test_other_names_are_no_times(name: str) -> None:
    assert not is_time(name)


@pytest.mark.parametrize(
    "name",
    [
        "val_bpc",
        "bits_per_byte",
        "test/ce",
        "xent",
        "nats",
        "regret",
        "eer",
        "hter",
        "crps",
        "brier",
        "seconds_per_epoch",
        "val_loss",
    ],
)
def test_less_of_it_is_better_by_its_name(name: str) -> None:
    assert direction_of(name) == "min"


@pytest.mark.parametrize(
    "name",
    [
        "top1",
        "eval_top5",
        "acc1",
        "Acc@1",
        "mrr",
        "ndcg@10",
        "hit@5",
        "kappa",
        "mcc",
        "charts/episodic_return",
        "elo",
        "charts/SPS",
        "mfu",
        "tokens_per_sec",
        "tok/sec",
        "images_per_second",
        "samples_per_seconds",
        "throughput",
        "val/acc",
    ],
)
def test_more_of_it_is_better_by_its_name(name: str) -> None:
    assert direction_of(name) == "max"
