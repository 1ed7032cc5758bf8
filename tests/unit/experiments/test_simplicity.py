"""With `simplicity: equal-and-shorter`, an equal number with fewer lines is kept, and nothing worse ever is."""

from __future__ import annotations

import random
from typing import Any

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.experiments.deciding.noise import Pairs, judge
from flagstone.experiments.deciding.simplicity import largest_loss, line_count
from flagstone.plans.spec import NoiseRule

SHORT = 'X = 1.0\nimport prepare\nprint(f"val_loss: {(X - 3) ** 2 + prepare.OFFSET}")\n'
SHORTER = SHORT.replace("X = 1.0\n", "").replace("X -", "1.0 -")
SIMPLE = {"simplicity": "equal-and-shorter"}
RULE = {"baseline_repeats": 3, "max_repeats": 30}


def outcomes(laboratory: Laboratory) -> list[tuple[str, str]]:
    return [(each.verdict, each.reason) for each in laboratory.entries()[1:]]


def test_an_equal_number_with_fewer_lines_is_kept_with_its_reason(laboratory: Laboratory) -> None:
    laboratory.make(**SIMPLE).run(Edits({2: whole(SHORT), 3: whole(SHORTER)}), limit=3)
    assert outcomes(laboratory) == [
        ("advance", "as good as r0001, with 3 lines less (6 → 3)"),
        ("advance", "as good as r0002, with 1 line less (3 → 2)"),
    ]
    assert "as good as r0001, with 3 lines less" in laboratory.said[1]


def test_it_is_off_unless_it_is_asked_for(laboratory: Laboratory) -> None:
    laboratory.make().run(Edits({2: whole(SHORT)}), limit=2)
    assert outcomes(laboratory) == [("revert", "no better than r0001 (4.5)")]


@pytest.mark.parametrize(
    "source",
    [
        SHORT.replace("X - 3", "X - 3.01"),
        SHORT + "1\n2\n3\n",
        "".join(f"\n\n{line}\n" for line in SHORT.splitlines()) + "\n" + "1\n" * 4,
    ],
    ids=["a worse number", "as many lines", "fewer lines only of those that are blank"],
)
def test_no_other_is_kept(laboratory: Laboratory, source: str) -> None:
    laboratory.make(**SIMPLE).run(Edits({2: whole(source)}), limit=2)
    assert laboratory.entries()[1].verdict == "revert"


def test_comments_that_are_removed_are_no_simpler_program(laboratory: Laboratory) -> None:
    commented = SHORT + "# why\n# and how\n"
    laboratory.files = {**laboratory.files, "train.py": commented}
    laboratory.make(**SIMPLE).run(Edits({2: whole(SHORT)}), limit=2)
    assert laboratory.entries()[1].verdict == "revert"


@pytest.mark.parametrize("name", ["guard", "hidden"])
def test_guard_and_hidden_check_have_their_say(laboratory: Laboratory, name: str) -> None:
    check = {"argv": ["grep", "-q", "NOTE", "train.py"]}
    laboratory.make(**SIMPLE, **{name: check}).run(Edits({2: whole(SHORT)}), limit=2)
    assert (laboratory.entries()[1].verdict, laboratory.entries()[1].refused_by) == ("revert", name)


NOISY = """import os, random

X = 1.0
seed = int(os.environ["SEED"])
noise = random.Random(seed + {salt}).gauss(0, 0.1)
UNUSED = 1
print(f"val_loss: {{(X - 3) ** 2 + noise}}")
"""
LEAN = NOISY.replace("UNUSED = 1\n", "")


def noisy(laboratory: Laboratory, source: str, **rule: Any) -> tuple[str, str]:
    laboratory.files = {**laboratory.files, "train.py": NOISY.format(salt=0)}
    laboratory.make(**SIMPLE, noise={**RULE, **rule}).run(Edits({2: whole(source)}), limit=2)
    return outcomes(laboratory)[0]


def test_with_noise_an_equal_number_is_measured_until_it_is_shown_to_be_none_that_is_worse(
    laboratory: Laboratory,
) -> None:
    verdict, reason = noisy(laboratory, LEAN.format(salt=1))
    assert verdict == "advance"
    assert reason.startswith("as good as r0001, with 1 line less (6 → 5): gain ")
    assert "counts as equal" in reason
    assert len(laboratory.entries()[1].measurements) > 3


def test_with_noise_a_worse_number_is_not_kept_for_its_fewer_lines(laboratory: Laboratory) -> None:
    verdict, reason = noisy(laboratory, set_in(LEAN.format(salt=1), 0.9))
    assert verdict == "revert"
    assert reason.startswith("not shown to be as good as r0001")


def set_in(source: str, value: float) -> str:
    return source.replace("X = 1.0", f"X = {value}")


def test_small_losses_of_equal_numbers_do_not_add_up() -> None:
    known = [1.0, 2.0, 3.0]
    assert (largest_loss(known, 0.0), largest_loss(known, 0.75), largest_loss(known, 2.0)) == (1.0, 0.25, 0.0)
    assert largest_loss([1.0], 0.0) == 0.0


def test_blank_lines_are_not_counted() -> None:
    assert line_count({"a": b"x\n\n  \ny", "b": b"z\n"}) == 3


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 0.35, 1.0), (1.5, 0.0, 0.05), (1.0, 0.0, 0.1)])
def test_what_is_kept_is_seldom_worse_by_a_standard_deviation(shift: float, least: float, most: float) -> None:
    rng, rule = random.Random(7), NoiseRule()
    kept = 0
    for _ in range(200):
        known = [rng.gauss(0, 1) for _ in range(5)]
        loss, ours, theirs = largest_loss(known, 0.0), [], []
        while (found := judge(Pairs(ours, theirs, "min", loss), 1, rule, known)).stance == "repeat":
            ours.append(rng.gauss(shift, 1))
            theirs.append(rng.gauss(0, 1))
        kept += found.stance == "accept"
    assert least <= kept / 200 <= most


def test_a_real_gain_is_still_one(laboratory: Laboratory) -> None:
    laboratory.make(**SIMPLE).run(Edits({2: set_x(2.0)}), limit=2)
    assert outcomes(laboratory) == [("advance", "better than r0001 (4.5)")]
