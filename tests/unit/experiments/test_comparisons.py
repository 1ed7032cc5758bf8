"""With what a candidate was compared: on the same seeds, at the same time, and told as such."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import mean

import pytest
from entries import entry_of, measured
from laboratory import Edits, Laboratory, killed_at, set_x
from matplotlib.figure import Figure

from flagstone.experiments.candidates.edits.seeds import seed_for
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import History, state_file
from flagstone.experiments.ledger.progress import Progress
from flagstone.experiments.reporting.picture import draw_best, point_of
from flagstone.plans.spec import MetricSpec

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from measured.noisy_loops import Experiment, World

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
    # a run that has to wait for the machine says so in a line of its own
    _, better, equal = [line for line in laboratory.said if " is waiting " not in line][:3]
    assert " (best), better than r0001: gain " in better and " pairs, p = " in better
    assert ", not clearly better than the last " in equal and " runs of r0002 (median " in equal
    laboratory.said.clear()
    exact = Laboratory(laboratory.folder.parent / "exact").make()
    exact.run(Edits({2: set_x(2.0), 3: set_x(1.0)}), limit=3)
    assert "val_loss 1.5 [self-reported, one seed] (best), better than r0001 (4.5)" in exact.said[1]
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


UNSTEADY = """import os, random
X = 1.0
print(f"val_loss: {(X - 3) ** 2 + random.gauss(0, 0.1)}")
"""


def parts_beside(entry: Entry) -> list[str]:
    return [each.part for each in entry.beside]


def test_the_best_is_measured_again_beside_each_repeat_where_its_numbers_are_not_the_same_again(
    laboratory: Laboratory,
) -> None:
    laboratory.files = {"train.py": UNSTEADY}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(3.0)}), limit=3)
    for entry in laboratory.entries()[1:]:
        assert entry.verdict == "advance"
        times = [(each.started_at, each.part) for each in (*entry.measurements[1:], *entry.beside)]
        sides = ["best" if part.startswith("best-") else "candidate" for _, part in sorted(times)]
        assert sides == ["candidate", "best"] * (len(sides) // 2) and len(sides) >= 12
        best = [each.value for each in entry.beside]
        assert entry.judgement["theirs"] == pytest.approx(mean(value for value in best if value is not None))


def test_numbers_that_are_the_same_again_are_measured_once_more_and_then_believed(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": NOISY}
    laboratory.make(noise={**RULE, "baseline_repeats": 12})
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    last = laboratory.entries()[-1]
    assert last.verdict == "advance" and parts_beside(last) == [f"best-r0001-{seed_for(0, 1)}"]


@pytest.mark.parametrize(("metric", "is_always"), [("wall_s", True), ("val_loss", False)])
def test_a_time_is_measured_beside_the_candidate_even_if_it_was_the_same_again(metric: str, is_always: bool) -> None:
    made = Experiment(World(repeats=True), Random(1))
    made.opened.spec = replace(made.opened.spec, metric=MetricSpec(metric, "max"))
    assert made.keeps(5.0)
    best = made.progress.best
    assert best is not None
    assert (len(best.beside) == len(best.measurements) - 1) is is_always


def test_two_equal_baselines_do_not_let_luck_win(laboratory: Laboratory) -> None:
    """A coarse number is often equal twice by chance: what looks quiet is looked at again before anything is kept."""
    coarse = "import os, random\nX = 1.0\nseed = os.environ['SEED']\n"
    coarse += "print('val_loss:', random.Random(f'29 {seed} {X}').choice((1, 1, 1, 0)))\n"
    laboratory.files = {"train.py": coarse}
    laboratory.make(noise={"baseline_repeats": 5, "max_repeats": 30})
    laboratory.run(Edits({number: set_x(float(number)) for number in range(2, 8)}), limit=7)
    first, *later = laboratory.entries()
    assert [each.value for each in first.measurements] == [1.0, 1.0]
    assert [each.value for each in later].count(0.0) > 1, "some of these look better"
    assert [each.run_id for each in laboratory.entries() if each.improved] == ["r0001"]


def test_measuring_the_best_again_counts_as_time_but_not_as_runs(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": UNSTEADY}
    laboratory.make(noise=RULE, stopping={"max_runs": 3}, harness={"argv": ["python", "train.py"], "gpus": 0})
    assert laboratory.run(Edits({2: set_x(2.0), 3: set_x(3.0)})) == "max_runs(3)"
    entries = laboratory.entries()
    assert len(entries) == 3 and entries[1].beside
    runs = (*entries[1].measurements, *entries[1].beside)
    assert entries[1].wall_s == pytest.approx(sum(each.wall_s for each in runs))


def test_the_best_is_measured_again_from_time_to_time_though_nothing_looks_better(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": UNSTEADY}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({number: set_x(-number) for number in range(2, 14)}), limit=13)
    again = [each.number for each in laboratory.entries() if each.beside]
    assert again == [7, 13]
    assert laboratory.entries()[6].reference[0][0] == seed_for(0, 0)


def test_a_comparison_that_was_killed_goes_on_and_comes_to_the_same_line(laboratory: Laboratory) -> None:
    count = laboratory.folder / "count"
    laboratory.folder.mkdir(exist_ok=True)
    laboratory.files = {"train.py": f"open({str(count)!r}, 'a').write('x')\n{UNSTEADY}"}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({}), limit=1)
    cut = 0
    for moment in range(30, 2000, 60):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, lambda here=there: here.run(Edits({2: set_x(2.0)}), limit=1))  # type: ignore[misc]
        kept = {path.name: path.read_bytes() for path in (there.home.run("r0002").root).glob("measured*.json")}
        cut += len(kept) > 1 and len(there.entries()) == 1
        if len(there.entries()) == 1:
            there.run(Edits({2: set_x(2.0)}), limit=1)
        last = there.entries()[-1]
        told = {each.part: each.value for each in (*last.measurements, *last.beside)}
        for content in map(json.loads, kept.values()):
            assert told[content["part"]] == content["value"]
        if not was_killed:
            assert cut > 1, "some kills came in the middle of the comparison"
            return
    pytest.fail("the work never came to its end")


def test_what_an_earlier_version_remembered_is_not_believed(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": UNSTEADY}
    laboratory.make(noise=RULE)
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    history = History.read(laboratory.home)
    history.remember()
    path = state_file(laboratory.home)
    old = json.loads(path.read_text())
    for name in ("recent", "best_measured", "is_exact", "has_varied"):
        del old["progress"][name]
    path.write_text(json.dumps({"head": old["head"], "progress": old["progress"]}))
    assert History.read(laboratory.home).progress == history.progress
