"""With what a candidate was compared: on the same seeds, at the same time, and told as such."""

from __future__ import annotations

from statistics import mean

import pytest
from entries import entry_of, measured
from laboratory import Edits, Laboratory, set_x
from matplotlib.figure import Figure

from flagstone.experiments.candidates.edits.seeds import seed_for
from flagstone.experiments.ledger.progress import Progress
from flagstone.experiments.reporting.picture import draw_best, point_of

NOISY = """import os, random
X = 1.0
seed = int(os.environ["SEED"])
noise = random.Random(seed + int(X * 1000)).gauss(0, 0.1)
print(f"val_loss: {(X - 3) ** 2 + noise}")
"""
RULE = {"baseline_repeats": 3, "max_repeats": 30}


def test_every_value_is_that_of_the_common_seed_and_gains_are_those_of_pairs(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": NOISY}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(1.0)}), limit=3)
    for entry in laboratory.entries():
        assert entry.first is not None and entry.first.seed == seed_for(0, 0)
        assert entry.value == entry.first.value
    kept = laboratory.entries()[1]
    judged = kept.judgement
    ours = [each.value for each in kept.measurements[1:] if each.value is not None]
    assert judged["against"] == "r0001" and judged["ours"] == pytest.approx(mean(ours))
    assert judged["gain"] == pytest.approx(judged["theirs"] - judged["ours"])


def test_each_verdict_names_the_run_it_was_compared_with(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": NOISY}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(1.0), 4: set_x(2.001)}), limit=4)
    assert " (best), better than r0001: gain " in laboratory.said[1] and " pairs, p = " in laboratory.said[1]
    assert ", not clearly better than the " in laboratory.said[2] and " runs of r0002 (median " in laboratory.said[2]
    laboratory.said.clear()
    exact = Laboratory(laboratory.folder.parent / "exact").make()
    exact.run(Edits({2: set_x(2.0), 3: set_x(1.0)}), limit=3)
    assert "val_loss 1.5 (best), better than r0001 (4.5)" in exact.said[1]
    assert "val_loss 4.5, no better than r0002 (1.5)" in exact.said[2]


def test_a_threshold_is_not_reached_by_one_lucky_run() -> None:
    runs = (measured(2, 0.7), *(measured(2, value, f"repeat-{nr}") for nr, value in enumerate((1.0, 1.2), start=1)))
    lucky = entry_of(2, "advance", 0.7, measurements=runs)
    assert Progress().after(lucky).best_value == 0.7
    assert Progress().after(lucky).typical_value == pytest.approx(1.1)
    assert Progress().after(entry_of(2, "advance", 0.7)).typical_value == 0.7


def test_the_line_of_the_best_never_steps_back() -> None:
    points = [point_of(entry_of(nr, "advance", value)) for nr, value in enumerate((2.0, 1.7, 1.8, 1.5), start=1)]
    axes = Figure().subplots()
    draw_best(axes, points, min)
    assert list(axes.lines[0].get_ydata()) == [2.0, 1.7, 1.7, 1.5, 1.5]
