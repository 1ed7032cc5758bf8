"""Metrics in what a run printed."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable

import pytest

from flagstone.metrics import own_pattern
from flagstone.metrics.log import faults
from flagstone.metrics.registry import nearest_names, read_metrics
from flagstone.metrics.scanning import NEAR
from flagstone.metrics.series import Place

Printed = Callable[[str | bytes], Place]
# a tenth of the real sizes, for tests of many logs
EVERYTHING_BYTES = 100_000
BLOCK = 1 << 17

LINES = [
    ("val_loss=0.5", "val_loss", 0.5),
    ("val_loss = 0.5", "val_loss", 0.5),
    ("val_loss: 0.5", "val_loss", 0.5),
    ("val_loss -> 0.5", "val_loss", 0.5),
    ("val_loss 0.5", "val_loss", 0.5),
    ("val_bpb:          0.997900", "val_bpb", 0.9979),
    ("step 3 val_loss=0.25 lr=1e-3", "val_loss", 0.25),
    ("step 3 val_loss=0.25 lr=1e-3", "lr", 1e-3),
    ("step 3 val_loss=0.25 lr=1e-3", "step", 3),
    ("lr=1e-4 tokens/s=12345.6", "tokens/s", 12345.6),
    ("{'loss': 0.52, 'eval_loss': 1.2E-05, 'epoch': 1.0}", "eval_loss", 1.2e-05),
    ("{'loss': '0.52', 'eval_loss': '0.31'}", "eval_loss", 0.31),
    ('{"val/loss": 0.125, "step": 10}', "val/loss", 0.125),
    ("| val_loss | 0.31 |", "val_loss", 0.31),
    ("│        val_loss         │    0.3127000033855438     │", "val_loss", 0.3127000033855438),
    ("\x1b[32mval_loss\x1b[0m: \x1b[1m0.75\x1b[0m", "val_loss", 0.75),
    ("Epoch 1\rval_loss=0.9\rval_loss=0.8\r", "val_loss", 0.8),
    ("val_loss: 0.5\r\n", "val_loss", 0.5),
    ("[rank0]: val_loss: 0.5", "val_loss", 0.5),
    ("[rank0]:val_loss: 0.5", "val_loss", 0.5),
    ("acc=93.1%", "acc", 93.1),
    ("acc: 93.1 %", "acc", 93.1),
    ("step_time=12.5ms", "step_time", 12.5),
    ("speed: 12.5it/s", "speed", 12.5),
    ("memory: 512MiB", "memory", 512),
    ("tokens: 1,234", "tokens", 1234),
    ("tokens: 1,234,567.5", "tokens", 1234567.5),
    ("val_loss: -.5", "val_loss", -0.5),
    ("val_loss: -3", "val_loss", -3),
    ("reward=+2.5e+06", "reward", 2.5e6),
    ("val_loss: tensor(0.25)", "val_loss", 0.25),
    ("val_loss: np.float64(0.25)", "val_loss", 0.25),
    ("INFO:root:val_loss=0.5", "val_loss", 0.5),
    ("INFO val_loss: 0.5", "val_loss", 0.5),
    ("2026-01-01 10:00:00,123 - INFO - val_loss: 0.5", "val_loss", 0.5),
    ("top-1: 71.2 acc@5: 90.1", "top-1", 71.2),
    ("top-1: 71.2 acc@5: 90.1", "acc@5", 90.1),
    ("mean val loss: 0.5", "mean val loss", 0.5),
    ("Mean val loss: 0.5", "mean_val_loss", 0.5),
    ("accuracy (%): 93", "accuracy (%)", 93),
    ("1-shot acc = 0.5", "1-shot acc", 0.5),
    ("final score: 12.", "score", 12),
    ("val_loss: 0.9\nval_loss: 0.4\n", "val_loss", 0.4),
]

TRAINERS = [
    ("{'eval_loss': 0.4321, 'eval_runtime': 12.3, 'eval_samples_per_second': 81.2, 'epoch': 3.0}", "eval_loss", 0.4321),
    ("100%|██████████| 30/30 [00:12<00:00,  2.4it/s]\r{'loss': 0.61, 'grad_norm': 1.5, 'epoch': 1.0}", "loss", 0.61),
    ("Epoch 1: 100%|████| 10/10 [00:01<00:00, 9.1it/s, v_num=3, val_loss=0.610]", "val_loss", 0.61),
    ("step 250: train loss 2.1000, val loss 2.3000", "val loss", 2.3),
    ("step 250: train loss 2.1000, val loss 2.3000", "val_loss", 2.3),
    ("step 250: train loss 2.1000, val loss 2.3000", "train_loss", 2.1),
    ("iter 250: loss 2.1000, time 23.54ms, mfu 12.3%", "loss", 2.1),
    ("---\nval_bpb:          0.997900\ntraining_seconds: 300.1\npeak_vram_mb:     45060.2", "val_bpb", 0.9979),
    (
        "313/313 [==============================] - 2s 5ms/step - loss: 0.25 - accuracy: 0.92 - val_loss: 0.31",
        "val_loss",
        0.31,
    ),
    ("313/313 [=====] - 2s 5ms/step - loss: 0.25 - accuracy: 0.92 - val_loss: 0.31", "accuracy", 0.92),
    ("Train Epoch: 3 [51200/60000 (85%)]\tLoss: 0.141", "Loss", 0.141),
    ("Test set: Average loss: 0.0312, Accuracy: 9901/10000 (99%)", "average_loss", 0.0312),
    ("Epoch: [3][10/20]\tTime 0.1 (0.2)\tLoss 1.52 (1.61)\tAcc@1 61.2 (60.1)", "Acc@1", 61.2),
    ("  3%|▎         | 30/1000 [00:01<00:40, 24.01it/s, loss=3.2]\r  4%|▍| 40/1000 [00:01<?, loss=3.1]", "loss", 3.1),
    ("[rank3]: W1125 10:00:00 torchrun\n[rank0]: step=3 val_loss=0.5", "val_loss", 0.5),
]


@pytest.mark.parametrize(("text", "name", "value"), LINES + TRAINERS)
def test_each_documented_form_is_read(printed: Printed, text: str, name: str, value: float) -> None:
    assert read_metrics("log", {}, printed(text), [name]).values[name] == pytest.approx(value)


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flagstone.metrics.log.EVERYTHING_BYTES", EVERYTHING_BYTES)
    monkeypatch.setattr("flagstone.metrics.scanning.BLOCK", BLOCK)


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize(("text", "name", "value"), LINES + TRAINERS)
def test_each_form_is_found_far_from_the_end_too(printed: Printed, text: str, name: str, value: float) -> None:
    place = printed("\n".join([text, *["nothing of interest"] * 8_000]))
    assert read_metrics("log", {}, place, [name, "not_there"]).values[name] == pytest.approx(value)


@pytest.mark.parametrize(("text", "name", "value"), LINES + TRAINERS)
def test_each_form_is_found_in_the_midst_of_an_endless_line(
    printed: Printed, text: str, name: str, value: float
) -> None:
    flat = " " + text.replace("\r", " ").replace("\n", " ") + " "
    place = printed(f"{'y' * 700_000}{flat}{'x' * 1_500_000}")
    assert read_metrics("log", {}, place, [name]).values[name] == pytest.approx(value)


@pytest.mark.parametrize("where", [*range(3560, 3600, 3), *range(4060, 4100, 3), *range(7150, 7170, 3)])
@pytest.mark.parametrize("behind", [200, 5_000, 1_500_000])
def test_no_pair_is_read_from_where_a_long_line_was_cut(printed: Printed, where: int, behind: int) -> None:
    text = ", " * (where // 2) + " " * (where % 2) + "val loss 2.345, my_loss=0.125, " + ", " * (behind // 2)
    found = read_metrics("log", {}, printed(text), ["loss", "val_loss", "my_loss"])
    assert {name: set(steps) for name, steps in found.last_steps.items() if "loss" in name} == {
        "val loss": {2.345},
        "val_loss": {2.345},
        "my_loss": {0.125},
    }


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("before", range(40))
@pytest.mark.parametrize("edge", [EVERYTHING_BYTES, EVERYTHING_BYTES + BLOCK, EVERYTHING_BYTES + BLOCK - NEAR])
def test_no_pair_is_lost_where_one_part_of_a_log_ends(printed: Printed, before: int, edge: int) -> None:
    text = "val loss 2.345, my_loss=0.125"
    place = printed(", " * 90_000 + text + (", " * EVERYTHING_BYTES)[: edge - len(text) + before])
    found = read_metrics("log", {}, place, ["loss", "val_loss", "my_loss"]).values
    assert (found.get("loss"), found["val_loss"], found["my_loss"]) == (None, 2.345, 0.125)


def test_far_from_the_end_too_the_last_value_counts(printed: Printed) -> None:
    noise = "noise\n" * 400_000
    found = read_metrics("log", {}, printed(f"val_loss 3\n{noise}val_loss 2\nval_loss 1\n{noise}"), ["val_loss"])
    assert (found.values["val_loss"], found.last_steps["val_loss"]) == (1, (3, 2, 1))


@pytest.mark.parametrize("word", ["nan", "NaN", "NAN", "inf", "-inf", "Infinity", "-Infinity"])
@pytest.mark.parametrize("between", ["=", ": ", " ", "': '"])
def test_a_number_that_is_not_finite_wins_when_it_comes_last(printed: Printed, word: str, between: str) -> None:
    found = read_metrics("log", {}, printed(f"val_loss: 0.3\nval_loss{between}{word}\n"), ["val_loss"])
    assert not math.isfinite(found.values["val_loss"])
    assert found.last_steps["val_loss"][0] == 0.3


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.1.0",
        "see http://localhost:8080/x",
        "https://example.org/?loss=3",
        "s3://bucket/loss=3",
        "at 10:30:45",
        "date: 2026-01-01",
        "date: 2026-01-01T10:30:45",
        "version: 1.2.3",
        "version=1.2.3rc4",
        "loss: n/a",
        "loss: nano",
        "loss: information",
        "path=/tmp/3",
        "loss: 0x1f",
        "commit=12ab34f",
        "commit: 3e4f",
        "loss: 1,23",
        "loss: 0,123",
        "loss: 3/10",
        "loss: 12k",
        "host: 10.0.0.1",
        "python train.py --loss=3",
        "train.loss=3",
        "my-loss: 3",
        "val loss 3",
        "losses: 3",
    ],
)
def test_what_only_looks_like_a_metric_is_none(printed: Printed, text: str) -> None:
    found = read_metrics("log", {}, printed(text), ["loss"]).values
    assert not set(found) & {"torch", "localhost", "at", "date", "version", "loss", "path", "commit", "host"}


def test_words_beside_a_number_count_less_than_a_sign_between_them(printed: Printed) -> None:
    place = printed("val_loss: 0.25\nno better val_loss 5 times in a row\n")
    assert read_metrics("log", {}, place, ["val_loss"]).values["val_loss"] == 0.25


def test_which_spelling_was_used_is_said(printed: Printed) -> None:
    found = read_metrics("log", {}, printed("val loss 2.3"), ["val_loss", "val/loss"])
    assert found.values["val_loss"] == found.values["val/loss"] == 2.3
    assert "val_loss is printed as 'val loss'" in found.problems


def test_of_several_spellings_none_is_chosen_for_a_person(printed: Printed) -> None:
    found = read_metrics("log", {}, printed("val loss: 2.3\nval/loss: 2.4"), ["val_loss"])
    assert "val_loss" not in found.values and "several spellings" in found.problems[0]
    exact = read_metrics("log", {}, printed("val loss: 2.3\nval/loss: 2.4\nval_loss: 2.5"), ["val_loss"])
    assert (exact.values["val_loss"], exact.problems) == (2.5, ())


def test_the_last_twenty_values_are_kept_in_order(printed: Printed) -> None:
    place = printed("".join(f"loss: {step}\n" for step in range(100)))
    assert read_metrics("log", {}, place, ["loss"]).last_steps["loss"] == tuple(range(80, 100))
    far = printed("".join(f"loss: {step}\n" for step in range(100)) + "noise\n" * 500_000)
    assert read_metrics("log", {}, far, ["loss"]).last_steps["loss"] == tuple(range(80, 100))


def test_a_persons_own_pattern_is_used_instead(printed: Printed) -> None:
    place = printed("Found 12 errors.\nFound 7 errors.\nerrors: 3\n")
    found = read_metrics("log", {"regex": r"Found (\d+) errors"}, place, ["errors"])
    assert (found.values, found.last_steps) == ({"errors": 7}, {"errors": (12, 7)})
    assert read_metrics("log", {"regex": r"(\d+) passed"}, printed("== 42 passed in 3s =="), ["n"]).values == {"n": 42}


def test_a_pattern_may_name_its_groups(printed: Printed) -> None:
    options = {"regex": r"(?P<name>\w+) -> (?P<value>\S+)"}
    assert read_metrics("log", options, printed("loss -> 0.5\nacc -> 9e1\n"), []).values == {"loss": 0.5, "acc": 90}
    assert read_metrics("log", {"regex": r"(?P<name>\w+)!(\S+)"}, printed("loss!0.5"), []).values == {"loss": 0.5}


def test_a_pattern_that_names_metrics_is_tried_on_all_of_a_long_log(printed: Printed) -> None:
    place = printed("acc -> 0.9\n" + "noise\n" * 300_000 + "loss -> 0.5\n")
    options = {"regex": r"(?P<name>\w+) -> (?P<value>\S+)"}
    assert read_metrics("log", options, place, ["loss"]).values == {"acc": 0.9, "loss": 0.5}


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("score (.*)", 1234.5),
        ("^score (.*)$", 1234.5),
        ("scores? (.*)", 1234.5),
        ("x|score (.*)", 1234.5),
        ("(?i)SCORE (.*)", 1234.5),
        ("score nan|last (nan)", math.nan),
    ],
)
def test_a_pattern_finds_its_value_wherever_it_stands(printed: Printed, pattern: str, value: float) -> None:
    place = printed("noise\nscore 1,234.5\nlast nan\n" + "noise and more of it\n" * 100_000)
    assert read_metrics("log", {"regex": pattern}, place, ["s"]).values["s"] == pytest.approx(value, nan_ok=True)


def test_colours_do_not_hide_a_match(printed: Printed) -> None:
    place = printed("noise\n\x1b[1msc\x1b[0more 0.5\n" + "noise\n" * 300_000)
    assert read_metrics("log", {"regex": "score (.*)"}, place, ["s"]).values == {"s": 0.5}


@pytest.mark.parametrize("pattern", ["(", "(?P<value", "[", "a{2,1}", "(?P<1>x)"])
def test_a_pattern_that_cannot_be_used_is_a_problem(printed: Printed, pattern: str) -> None:
    assert "cannot be used" in read_metrics("log", {"regex": pattern}, printed("x"), ["x"]).problems[0]
    assert "cannot be used" in faults({"regex": pattern})[0]


def test_a_pattern_that_matches_nothing_is_a_problem(printed: Printed) -> None:
    found = read_metrics("log", {"regex": "score (.*)"}, printed("score: high"), ["x"])
    assert found.values == {} and "matches no line" in found.problems[0]
    assert faults({"regex": "score (.*)"}) == faults({}) == []


def test_a_pattern_that_takes_for_ever_is_ended(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_pattern, "LIMIT_S", 0.5)
    found = read_metrics("log", {"regex": r"(a+)+$"}, printed("a" * 3000 + "b"), ["x"])
    assert found.values == {} and "took longer than 0.5 s" in found.problems[0]


def test_a_log_that_is_no_file_is_a_problem_and_no_wait(place: Place) -> None:
    for options in ({}, {"regex": "x"}):
        assert "cannot be read" in read_metrics("log", options, place, ["x"]).problems[0]
    os.mkfifo(place.log)
    assert "it is no file" in read_metrics("log", {}, place, ["x"]).problems[0]
    place.log.unlink()
    place.log.mkdir()
    assert "cannot be read" in read_metrics("log", {}, place, ["x"]).problems[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_is_a_problem(printed: Printed) -> None:
    place = printed("val_loss: 0.5")
    place.log.chmod(0)
    assert "cannot be read" in read_metrics("log", {}, place, ["val_loss"]).problems[0]


def test_an_empty_log_holds_nothing(printed: Printed) -> None:
    assert read_metrics("log", {}, printed(b""), ["x"]).values == {}


def test_garbage_hides_nothing_and_is_nothing(printed: Printed) -> None:
    garbage = random.Random(7).randbytes(2_000_000)
    place = printed(garbage + b"\nval_loss: 0.5\n" + garbage + bytes(range(256)) * 1000)
    found = read_metrics("log", {}, place, ["val_loss", "peak_vram_mb"]).values
    assert found["val_loss"] == 0.5 and "peak_vram_mb" not in found
    assert read_metrics("log", {"regex": "val_loss: (.*)"}, place, ["val_loss"]).values == {"val_loss": 0.5}


@pytest.mark.parametrize("unit", ["a", "a ", "a=", "1", "1,", " ", "'", '"a":', "a.b/", "-", "nan", "\x1b[", "://"])
def test_no_line_takes_for_ever(printed: Printed, unit: str) -> None:
    """Would not end if any pattern of ours tried every way to cut a line."""
    assert read_metrics("log", {}, printed(unit * 100_000), ["x", "a b c"]).values.get("x") is None


def test_without_a_name_the_end_of_a_long_log_is_read_and_that_is_said(printed: Printed) -> None:
    place = printed("early: 1\n" + "noise\n" * 400_000 + "late: 2\n")
    found = read_metrics("log", {}, place, [])
    assert found.values == {"late": 2} and "only the end of run.log" in found.problems[0]


def test_a_long_log_is_never_held_in_memory(printed: Printed) -> None:
    import tracemalloc

    place = printed(b"val_loss: 0.5\n" + b"x" * 30_000_000 + b" val_acc=0.25 \n" + b"noise line\n" * 200_000)
    tracemalloc.start()
    found = read_metrics("log", {}, place, ["val_loss", "val_acc", "not_there"]).values
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found["val_loss"], found["val_acc"]) == (0.5, 0.25)
    assert peak < 20_000_000


def test_the_nearest_keys_are_named() -> None:
    assert nearest_names("val_loss", ["lr", "val/loss", "train_loss", "epoch"])[:2] == ["val/loss", "train_loss"]
