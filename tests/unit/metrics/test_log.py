"""Metrics in what a run printed."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import pytest

from flagstone.metrics.registry import nearest, read_metrics
from flagstone.metrics.series import Place

Printed = Callable[[str | bytes], Place]

LINES = [
    ("val_loss=0.5", "val_loss", 0.5),
    ("val_loss = 0.5", "val_loss", 0.5),
    ("val_loss: 0.5", "val_loss", 0.5),
    ("val_bpb:          0.997900", "val_bpb", 0.9979),
    ("step 3 val_loss=0.25 lr=1e-3", "val_loss", 0.25),
    ("step 3 val_loss=0.25 lr=1e-3", "lr", 1e-3),
    ("step 250: train loss 2.1000, val loss 2.3000", "val loss", 2.3),
    ("step 250: train loss 2.1000, val loss 2.3000", "val_loss", 2.3),
    ("{'loss': 0.52, 'eval_loss': 1.2E-05, 'epoch': 1.0}", "eval_loss", 1.2e-05),
    ('{"val/loss": 0.125, "step": 10}', "val/loss", 0.125),
    ("| val_loss | 0.31 |", "val_loss", 0.31),
    ("\x1b[32mval_loss\x1b[0m: \x1b[1m0.75\x1b[0m", "val_loss", 0.75),
    ("Epoch 1: 100%|████| 10/10 [00:01<00:00, 9.1it/s, v_num=3, val_loss=0.610]", "val_loss", 0.61),
    ("Epoch 1\rval_loss=0.9\rval_loss=0.8\r", "val_loss", 0.8),
    ("val_loss: 0.5\r\n", "val_loss", 0.5),
    ("[rank0]: val_loss: 0.5", "val_loss", 0.5),
    ("acc=93.1%", "acc", 93.1),
    ("tokens: 1,234", "tokens", 1234),
    ("val_loss: -.5", "val_loss", -0.5),
    ("reward=+2.5e+06", "reward", 2.5e6),
    ("val_loss: tensor(0.25)", "val_loss", 0.25),
    ("INFO:root:val_loss=0.5", "val_loss", 0.5),
    ("2026-01-01 10:00:00,123 - INFO - val_loss: 0.5", "val_loss", 0.5),
    ("val_loss: 0.9\nval_loss: 0.4\n", "val_loss", 0.4),
]


@pytest.mark.parametrize(("text", "name", "value"), LINES)
def test_each_documented_form_is_read(printed: Printed, text: str, name: str, value: float) -> None:
    assert read_metrics("log", {}, printed(text), [name]).values[name] == pytest.approx(value)


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_a_number_that_is_not_finite_wins_when_it_comes_last(printed: Printed, word: str) -> None:
    found = read_metrics("log", {}, printed(f"val_loss: 0.3\nval_loss: {word}\n"), ["val_loss"])
    assert not math.isfinite(found.values["val_loss"])


@pytest.mark.parametrize(
    "text",
    ["torch==2.1.0", "see http://localhost:8080/x", "at 10:30:45", "version: 1.2.3", "loss: n/a", "path=/tmp/3"],
)
def test_versions_addresses_and_times_are_no_metrics(printed: Printed, text: str) -> None:
    found = read_metrics("log", {}, printed(text), ["loss"]).values
    assert not set(found) & {"torch", "localhost", "at", "version", "loss", "path"}


def test_a_persons_own_pattern_is_used_instead(printed: Printed) -> None:
    place = printed("Found 12 errors.\nFound 7 errors.\n")
    assert read_metrics("log", {"regex": r"Found (\d+) errors"}, place, ["errors"]).values == {"errors": 7}
    named = {"regex": r"(?P<name>\w+) -> (?P<value>\S+)"}
    assert read_metrics("log", named, printed("loss -> 0.5\nacc -> 0.9\n"), []).values == {"loss": 0.5, "acc": 0.9}


def test_a_pattern_that_cannot_be_used_is_a_problem(printed: Printed) -> None:
    assert "cannot be used" in read_metrics("log", {"regex": "("}, printed("x"), ["x"]).problems[0]


def test_which_spelling_was_used_is_said(printed: Printed) -> None:
    assert "is printed as 'val loss'" in read_metrics("log", {}, printed("val loss 2.3"), ["val_loss"]).problems[0]


def test_a_log_that_is_not_there_or_holds_garbage_is_no_crash(place: Place, printed: Printed) -> None:
    assert "cannot be read" in read_metrics("log", {}, place, ["x"]).problems[0]
    assert read_metrics("log", {}, printed(bytes(range(256)) * 1000), ["x"]).values.get("x") is None
    assert read_metrics("log", {}, printed(b""), ["x"]).values == {}


def test_a_large_log_with_an_endless_line_takes_little_memory(printed: Printed) -> None:
    place = printed(b"x" * 30_000_000 + b"\n" + b"noise line\n" * 200_000 + b"val_loss: 0.5\n")
    tracemalloc.start()
    found = read_metrics("log", {}, place, ["val_loss"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.values["val_loss"] == 0.5
    assert peak < 50_000_000


def test_the_nearest_keys_are_named() -> None:
    assert nearest("val_loss", ["lr", "val/loss", "train_loss", "epoch"])[:2] == ["val/loss", "train_loss"]
