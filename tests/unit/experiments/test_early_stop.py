"""Runs that are clearly worse on the way are ended, told as such, and never the best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.measuring.early_stop import EarlyStop, early_stop_for
from flagstone.plans.spec import MetricSpec

STEPWISE = """import os, random, sys, time
X = 1.0
noise = random.Random(os.environ["SEED"] + str(X)).gauss(0, 0.1)
for step in range(10):
    print(f"step {step} val_loss: {(X - 3) ** 2 + noise + 10 - step}", flush=True)
    time.sleep(60 if X == -9.0 and step == 4 else 0)
print(f"val_loss: {-99 if X == -8.0 else (X - 3) ** 2 + noise}")
"""
ASKED = {"after": 0.3, "worse_than": "3 sd"}


def made(laboratory: Laboratory, **changes: Any) -> Laboratory:
    laboratory.files = {"train.py": STEPWISE}
    return laboratory.make(noise={"baseline_repeats": 4, "max_repeats": 30}, **{"early_stop": ASKED, **changes})


def test_a_run_that_is_clearly_worse_on_the_way_is_ended_and_told(laboratory: Laboratory) -> None:
    made(laboratory)
    laboratory.run(Edits({2: set_x(-9.0), 3: set_x(2.0)}), limit=3)
    _, second, third = laboratory.entries()
    assert (second.verdict, second.status, second.value, second.valid) == ("revert", "invalid", None, False)
    assert second.wall_s < 60, "it would have slept"
    assert "r0002 revert   stopped early: val_loss was 15" in laboratory.said[1]
    assert "at value 4 of 11, more than" in laboratory.said[1] and "the limit from r0001" in laboratory.said[1]
    assert laboratory.home.run("r0002").log.read_text().rstrip().splitlines()[-1].startswith("stopped early: val_loss")
    assert third.verdict == "advance"


def test_what_was_stopped_early_is_never_the_best_whatever_it_would_have_printed(laboratory: Laboratory) -> None:
    made(laboratory)
    laboratory.run(Edits({2: set_x(-8.0)}), limit=2)
    assert [each.improved for each in laboratory.entries()] == [True, False]
    assert laboratory.entries()[1].first is not None and laboratory.entries()[1].first.is_stopped_early


def test_without_it_nothing_is_stopped(laboratory: Laboratory) -> None:
    made(laboratory, early_stop={**ASKED, "worse_than": "9999 sd"})
    laboratory.run(Edits({2: set_x(-8.0)}), limit=2)
    assert laboratory.entries()[1].status == "ok"


def test_runs_that_were_stopped_early_count_for_the_plateau(laboratory: Laboratory) -> None:
    made(laboratory, stopping={"plateau": 2})
    assert laboratory.run(Edits({2: set_x(-8.0), 3: set_x(-7.0), 4: set_x(-6.0)})) == "plateau(2)"
    assert len(laboratory.entries()) == 3


def test_that_nothing_can_be_stopped_early_is_said(laboratory: Laboratory) -> None:
    laboratory.make(early_stop=ASKED)
    laboratory.run(Edits({2: set_x(9.0), 3: set_x(8.0)}), limit=3)
    assert [line for line in laboratory.said if "stopped early" in line] == [
        "no run is stopped early: r0001 printed 1 values of val_loss"
    ]


@pytest.mark.parametrize(("direction", "worse", "better"), [("min", b"7.1", b"6.9"), ("max", b"6.9", b"7.1")])
def test_one_place_decides_however_the_lines_come(direction: Any, worse: bytes, better: bytes) -> None:
    def watch() -> EarlyStop:
        return EarlyStop(MetricSpec("loss", direction), at=2, of=4, rival="r0001", limit=7.0)

    assert not watch()(b"loss: 99 other: 1")
    assert watch()(b"loss: 1\rloss: " + worse) and not watch()(b"loss: 1\rloss: " + better)
    assert watch()(b"loss: 1\rloss: nan")
    late = watch()
    assert not any(late(b"loss: " + value) for value in (b"1", better, worse, worse)), "only the second value counts"


def test_the_limit_is_the_rivals_value_and_what_the_baseline_varies_by(tmp_path: Path, laboratory: Laboratory) -> None:
    spec = made(laboratory).open().spec
    for name, third in (("rival", 5.0), ("a", 1.0), ("b", 2.0), ("c", 3.0)):
        (tmp_path / name).write_text("".join(f"val_loss: {each}\n" for each in (9, 8, third, 0, 0, 0, 0)))
    logs = [tmp_path / name for name in "abc"]
    found = early_stop_for(spec, ("r0007", tmp_path / "rival"), logs)
    assert isinstance(found, EarlyStop) and (found.at, found.of, found.limit) == (3, 7, 8.0)
    assert "2 runs of the baseline do not say" in str(early_stop_for(spec, ("r0007", tmp_path / "rival"), logs[:2]))
