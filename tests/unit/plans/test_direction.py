"""What the name of a metric says."""

from __future__ import annotations

import pytest

from flagstone.plans.direction import is_time


@pytest.mark.parametrize(
    "name", ["seconds", "build_s", "wall_s", "latency/p99", "step time", "tokens_per_sec", "throughput", "p50_ms"]
)
def test_a_time_or_a_rate_is_known_by_its_name(name: str) -> None:
    assert is_time(name)


@pytest.mark.parametrize("name", ["val_loss", "accuracy", "timeouts", "peak_vram_mb", "times_more", "loss"])
def test_other_names_are_no_times(name: str) -> None:
    assert not is_time(name)
