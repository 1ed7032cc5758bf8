"""`flagstone experiment diff`, `replay` and `tail`: what a person looks at one run of an experiment with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.cli.experiment import command
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers.protocol import View

# runs once with every seed but those of repeats, where it ends as told
FAILS_LATER = """import os
X = 2.0
is_first = os.environ["AR_SEED"] == open("seed").read()
print("first" if is_first else "again")
if not is_first:
    raise ValueError("only the repeat")
print(f"val_loss: {(X - 3) ** 2 - 50}")
"""
NOISY = """import os
seed = os.environ["AR_SEED"]
print("val_loss:", 9 + int(seed) % 1000 / 1000)
"""


def asked(laboratory: Laboratory, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), obj=Location(laboratory.project))


def complaint(laboratory: Laboratory, *words: str) -> str:
    error = asked(laboratory, *words).exception
    assert isinstance(error, FlagstoneError), error
    return f"{error.problem}; {error.hint}"


@pytest.fixture
def searched(laboratory: Laboratory) -> Laboratory:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(9.0)}), limit=3)
    return laboratory


def test_the_edit_of_a_run_that_was_put_onto_the_best_is_shown_as_it_was_measured(laboratory: Laboratory) -> None:
    lines = ["X = 1.0", *("# far" for _ in range(9)), "Y = 1.0", "print(f'val_loss: {(X - 3) ** 2 + (Y - 3) ** 2}')"]

    def line(number: int, text: str) -> object:
        def edit(draft: Path) -> str:
            now = (draft / "train.py").read_text().splitlines()
            now[number] = text
            (draft / "train.py").write_text("\n".join(now) + "\n")
            return text

        return edit

    laboratory.files = {"train.py": "\n".join(lines) + "\n"}
    laboratory.make(lag=2, rebase=True)
    laboratory.run(Edits({2: line(0, "X = 2.0"), 3: line(10, "Y = 2.0")}), limit=3)  # type: ignore[dict-item]
    assert laboratory.entries()[-1].proposal["rebased_from"] == "r0001"
    assert "X = 2.0" in asked(laboratory, "diff", "r0001", "r0003").output
    said = asked(laboratory, "diff", "r0003").output
    assert "+Y = 2.0" in said and "X = 2.0" not in said.replace(" X = 2.0", "")


@pytest.mark.parametrize("words", [("diff", "r0099"), ("diff", "one", "r0001", "r0099"), ("replay", "r0099")])
def test_a_run_that_is_not_there_is_named_and_those_that_are(searched: Laboratory, words: tuple[str, ...]) -> None:
    assert complaint(searched, *words) == "there is no run 'r0099' of one; its runs: r0001 to r0003"
    shutil.rmtree(searched.home.root / "runs")
    assert complaint(searched, *words) == "there is no run 'r0099' of one; its runs: r0001 to r0003"


def test_what_the_ledger_and_the_candidates_still_know_needs_no_folders_of_runs(searched: Laboratory) -> None:
    shutil.rmtree(searched.home.root / "runs")
    assert "+X = 9.0" in asked(searched, "diff", "r0003").output
    assert "-X = 2.0" in asked(searched, "diff", "r0003").output
    assert asked(searched, "replay", "r0003").stdout == "r0003: val_loss was 36.5, is 36.5 (the same)\n"


def test_a_measurement_as_a_record_is_all_that_is_on_standard_output(searched: Laboratory) -> None:
    said = asked(searched, "replay", "r0002", "--json")
    assert json.loads(said.stdout)["value"] == 1.5
    assert "val_loss was 1.5" in said.stderr


def test_a_run_that_was_never_measured_says_why(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: lambda draft: None}), limit=2)
    assert "r0002 of one was never measured: no proposal: nothing was changed" in complaint(
        laboratory, "replay", "r0002"
    )


def test_the_log_of_the_repeat_that_failed_is_what_is_shown(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": NOISY}
    laboratory.make(noise={"baseline_repeats": 3})
    seeds: list[int] = []
    laboratory.run(limit=1)
    seeds.append(laboratory.entries()[0].measurements[0].seed)
    edits = Edits({2: whole(FAILS_LATER.replace('open("seed").read()', repr(str(seeds[0]))))})
    laboratory.run(edits, limit=1)
    last = laboratory.entries()[-1]
    assert (last.status, len(last.measurements)) == ("crash", 2)
    for words in (("tail", "r0002"), ("tail",)):
        assert "ValueError: only the repeat" in asked(laboratory, *words).output
    assert tail_in(edits, laboratory) == asked(laboratory, "tail", "r0002").output


def tail_in(edits: Edits, laboratory: Laboratory) -> str:
    """What the next proposal is told of the end of the last run."""
    laboratory.run(edits, limit=1)
    view: View = edits.views[-1]
    assert view.entries[-1].run_id == "r0002"
    return view.tail(view.entries[-1])
