"""What stands beside a number: who says so, on how many seeds, and what is suspicious about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.experiments.deciding.flags import huge_text, touched_text
from flagstone.experiments.reporting.report import report_of
from flagstone.experiments.reporting.status import position_of, status_record, status_text

NOISY = """import os, random
X = 1.0
noise = random.Random(os.environ["SEED"] + str(X)).gauss(0, 0.1)
print(f"val_loss: {(X - 3) ** 2 + noise}")
"""
RULE = {"baseline_repeats": 3, "max_repeats": 30}
CONSTANT = 'print("val_loss: 0.5")\n'


def noisy(laboratory: Laboratory, **changes: object) -> Laboratory:
    laboratory.files = {"train.py": NOISY}
    return laboratory.make(noise=RULE, **changes)


def test_a_number_that_the_candidate_prints_is_self_reported_and_one_seed_is_told_as_such(
    laboratory: Laboratory,
) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(0.0)}), limit=3)
    assert [each.flags for each in laboratory.entries()] == [("self-reported", "one seed")] * 3
    assert "val_loss 1.5 [self-reported, one seed] (best), better than r0001" in laboratory.said[1]
    assert "[" not in laboratory.said[2], "beside a number that counts for nothing it would only be in the way"
    opened = laboratory.open()
    position = position_of(laboratory.home, opened.spec)
    assert "best: 1.5 @ r0002 [self-reported, one seed]" in status_text(position)
    assert status_record(position)["flags"] == ("self-reported", "one seed")
    assert "val_loss 1.5 (min) [self-reported, one seed] by r0002" in report_of(opened)
    assert json.loads(laboratory.home.run("r0002").result.read_text())["flags"] == ["self-reported", "one seed"]


def test_a_number_that_is_tested_on_seeds_and_scored_by_another_process_has_no_flag(laboratory: Laboratory) -> None:
    score = "import os\nprint('val_loss:', open(os.environ['AR_ARTIFACT']).read())\n"
    saving = NOISY.replace('print(f"val_loss: {', "open('m.txt', 'w').write(str(").replace('noise}")', "noise))")
    laboratory.files = {"train.py": saving, "score.py": score}
    laboratory.make(
        noise={**RULE, "baseline_repeats": 12}, evaluate={"argv": [sys.executable, "score.py"], "artifact": "m.txt"}
    )
    laboratory.run(Edits({2: set_x(1.1)}), limit=2)
    first, second = laboratory.entries()
    assert first.flags == () and first.status == "ok"
    assert second.verdict == "advance" and second.flags == ()


def test_a_candidate_that_does_not_vary_where_the_baseline_does_is_suspicious(laboratory: Laboratory) -> None:
    noisy(laboratory)
    laboratory.run(Edits({2: whole(CONSTANT)}), limit=2)
    (flag,) = [each for each in laboratory.entries()[-1].flags if each.startswith("suspicious")]
    assert "gave one value on 8 seeds" in flag and "edits a line that prints val_loss" in flag
    assert "[self-reported, suspicious: gave one value" in laboratory.said[-1]
    assert "[suspicious: gave one value on 8 seeds" in report_of(laboratory.open())


@pytest.mark.parametrize(
    ("old", "new", "is_touched"),
    [
        ('print(f"val_loss: {loss}")', 'print(f"val_loss: {loss * 0.9}")', True),
        ("print('val_loss', loss)", "pass", True),
        ('json.dump({"val_loss": loss}, file)', '  "val_loss": 0.1,', True),
        ('printf("val_loss %f", x);', 'printf("val_loss %f", x / 2);', True),
        ("echo val_loss: $X", "echo val_loss: 0", True),
        ("lr = 0.1", "lr = 0.2", False),
        ("val_loss = model(x)", "val_loss = model(x, y)", False),
        ('print(f"best_val_loss: {x}")', 'print(f"best_val_loss: {y}")', False),
    ],
)
def test_an_edit_of_the_line_that_prints_the_metric_is_suspicious(old: str, new: str, is_touched: bool) -> None:
    before, after = ({"train.py": f"a = 1\n{line}\nb = 2\n".encode()} for line in (old, new))
    assert bool(touched_text(before, after, "val_loss")) is is_touched
    assert not touched_text(before, before, "val_loss")


def test_a_gain_of_ten_sd_in_one_edit_is_suspicious() -> None:
    assert huge_text(10.5, [0.0, 1.0, 2.0]) == "gained 10.5 sd in one edit"
    assert not huge_text(9.5, [0.0, 1.0, 2.0]) and not huge_text(9.5, [1.0, 1.0]) and not huge_text(9.5, [])


def test_suspicion_ends_the_experiment_if_that_is_asked_for(laboratory: Laboratory) -> None:
    noisy(laboratory, stopping={"max_runs": 9, "on_suspicion": True})
    assert laboratory.run(Edits({2: set_x(1.0001), 3: whole(CONSTANT), 4: set_x(2.0)})) == "suspicion"
    last = laboratory.entries()[-1]
    assert (last.run_id, last.terminated_by, last.should_terminate) == ("r0003", "suspicion", True)
    assert laboratory.run(Edits({4: set_x(2.0)})) == "suspicion", "nobody has looked at it yet"
    path: Path = laboratory.home.spec
    path.write_text(path.read_text().replace("on_suspicion: true", "on_suspicion: false").replace("runs: 9", "runs: 4"))
    assert laboratory.run(Edits({4: set_x(2.0)})) == "max_runs(4)"


def test_without_that_a_suspicious_best_is_kept_and_told(laboratory: Laboratory) -> None:
    noisy(laboratory, stopping={"max_runs": 2})
    assert laboratory.run(Edits({2: whole(CONSTANT)})) == "max_runs(2)"
    assert laboratory.entries()[-1].improved
