"""The course of an experiment as a picture."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from entries import entry_of, home_for, made_up, spec_for, write_ledger

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.reporting.picture import draw, kind_of, limits, point_of
from flagstone.plans.spec import Spec

TEXT = "{http://www.w3.org/2000/svg}text"


def words(path: Path) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(path.read_bytes()).iter(TEXT)]


def drawn(tmp_path: Path, entries: list[Entry], spec: Spec | None = None) -> Path:
    target = tmp_path / "progress.svg"
    home = home_for(tmp_path)
    write_ledger(home, entries)
    draw(home, spec or spec_for(tmp_path), target)
    return target


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"verdict": "advance"}, "kept"),
        ({}, "discarded"),
        ({"valid": False}, "broke a constraint"),
        ({"verdict": "crash", "status": "crash", "value": None}, "crashed"),
        ({"verdict": "crash", "status": "unclean", "value": None}, "crashed"),
        ({"verdict": "timeout", "status": "timeout", "value": None}, "timed out"),
        ({"verdict": "invalid", "status": "violation", "value": None}, "violation"),
        ({"status": "invalid", "value": None}, "no number"),
        ({"verdict": "interrupted", "status": "interrupted", "value": None}, "interrupted"),
    ],
)
def test_what_became_of_a_candidate_is_told_by_its_shape(changes: dict[str, object], kind: str, tmp_path: Path) -> None:
    entry = entry_of(2, **changes)  # type: ignore[arg-type]
    assert kind_of(entry) == kind
    assert any(text.startswith(f"{kind} (1)") for text in words(drawn(tmp_path, [entry])))


def test_the_axes_have_names_and_say_what_is_better(tmp_path: Path) -> None:
    assert {"run", "val_loss (less is better)"} <= set(words(drawn(tmp_path, made_up(20))))
    upward = spec_for(tmp_path, metric={"name": "acc", "direction": "max"})
    assert "acc (more is better)" in words(drawn(tmp_path, made_up(20), upward))


def test_every_candidate_is_counted_and_the_band_of_the_baseline_is_there(tmp_path: Path) -> None:
    entries = made_up(120)
    found = words(drawn(tmp_path, entries))
    counts = [text.rsplit(" (", 1)[1] for text in found if text.endswith(")") and " better" not in text]
    assert "5 runs)" in counts and "best so far" in found
    assert sum(int(text[:-1]) for text in counts if text[:-1].isdigit()) == len(entries)


def test_a_few_numbers_far_off_do_not_hide_the_others(tmp_path: Path) -> None:
    entries = [*made_up(60), entry_of(61, value=1e9), entry_of(62, value=-1e9), entry_of(63, value=1e-3)]
    low, high = limits([point_of(entry) for entry in entries], baseline=())
    assert -10 < low < 1.9 and 2 < high < 10
    assert {"discarded, above (1)", "discarded, below (2)"} <= set(words(drawn(tmp_path, entries)))


def test_the_same_runs_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = drawn(tmp_path, made_up(90)).read_bytes()
    code = (
        "from pathlib import Path; from entries import home_for, spec_for;"
        "from flagstone.experiments.reporting.picture import draw;"
        f"there = Path({str(tmp_path)!r}); draw(home_for(there), spec_for(there), there / 'other.svg')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
    assert (tmp_path / "other.svg").read_bytes() == here


def test_the_numbers_stand_beside_the_picture(tmp_path: Path) -> None:
    entries = made_up(70)
    rows = list(csv.DictReader(drawn(tmp_path, entries).with_suffix(".csv").open()))
    assert [row["run_id"] for row in rows] == [entry.run_id for entry in entries]
    assert [row["value"] for row in rows] == ["" if each.value is None else repr(each.value) for each in entries]
    assert [row["kind"] for row in rows] == [kind_of(entry) for entry in entries]


@pytest.mark.parametrize("what", ["mixed", "kept", "crashed", "far off"])
def test_the_picture_of_ten_thousand_runs_is_small(what: str, tmp_path: Path) -> None:
    entries = made_up(10_000)
    if what == "kept":
        entries = [entry_of(nr, "advance", 2 - nr / 1e5) for nr in range(1, 10_001)]
    elif what == "crashed":
        entries = [entry_of(nr, "crash", None, status="crash") for nr in range(1, 10_001)]
    elif what == "far off":
        entries = [replace(each, value=(each.value or 1.0) * 10 ** (each.number % 9)) for each in entries]
    assert drawn(tmp_path, entries).stat().st_size < 1_000_000


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_experiment_that_has_hardly_begun_has_a_picture(count: int, tmp_path: Path) -> None:
    assert "run" in words(drawn(tmp_path, made_up(2)[:count]))


def test_words_of_any_kind_are_words_in_the_picture(tmp_path: Path) -> None:
    spec = spec_for(tmp_path, goal="$\\frac{1}{2 & <b>\x1b[31m\n", metric={"name": "a$b_$c^", "direction": "min"})
    found = words(drawn(tmp_path, made_up(10), spec))
    assert "a$b_$c^ (less is better)" in found
    assert "made-up: $\\frac{1}{2 & <b>" in found


def test_a_value_that_is_the_same_in_every_run_has_a_picture(tmp_path: Path) -> None:
    assert drawn(tmp_path, [entry_of(nr, "advance" if nr == 1 else "revert", 0.0) for nr in range(1, 20)]).is_file()


def test_nothing_is_drawn_with_before_it_is_asked_for() -> None:
    code = "import sys, flagstone.experiments.reporting.picture; print('matplotlib' in sys.modules or 'numpy' in sys.modules)"  # noqa: E501
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
