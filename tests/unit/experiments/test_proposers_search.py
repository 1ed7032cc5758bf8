"""Numbers in a file are searched: found by what they are, replaced alone, drawn the same for the same runs."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from entries import entry_of
from views import ROOT, draft_of, view_of

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.proposers.constants import PythonFile, constants_in
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.experiments.proposers.ranges import Range
from flagstone.experiments.proposers.registry import proposer_for
from flagstone.experiments.proposers.search import SearchProposer

SOURCE = '''"""ä module"""\r
LR = 1e-3  # the rate, é\r
WIDTH: int = 64\r
CLI_OVERRIDES = {"drop": 0.1}
CLI_OVERRIDES["opt.name"] = 'adam' ; DEPTH = (
    2
)
def f():
    LR = 7
'''
ONE: Mapping[str, Any] = {"X": {"low": 0.0, "high": 10.0}}
needs_optuna = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="Optuna is not installed")


def search(method: str = "random", **parameters: Any) -> dict[str, Any]:
    return {"proposer": "search", "search": {"method": method, "parameters": parameters or ONE}}


def proposal(view: View, number: int, source: str = "X = 1.0\n", entries: list[Entry] | None = None) -> Proposed:
    base = view.home.base / f"n{number}-{len(list(view.home.base.iterdir()))}"
    base.mkdir()
    view = replace(view, number=number, entries=view.entries if entries is None else entries)
    (view.spec.subject.root / "train.py").write_text(source)
    return proposer_for(view.spec, ROOT / "prompts").propose(view, draft_of(base, source), base / "agent")


def tried(number: int, value: float | None, **parameters: Any) -> Entry:
    return entry_of(number, "revert", value, parent_run="r0001", proposal={"parameters": parameters})


def test_constants_are_found_in_every_form_and_replaced_with_the_rest_left_byte_for_byte() -> None:
    content = SOURCE.encode()
    found, faults = constants_in(content, ["LR", "WIDTH", "drop", "opt.name", "DEPTH"])
    assert faults == []
    assert {name: each.value for name, each in found.items()} == {
        "LR": 1e-3,
        "WIDTH": 64,
        "drop": 0.1,
        "opt.name": "adam",
        "DEPTH": 2,
    }
    values = {"LR": 0.25, "WIDTH": 128, "drop": None, "opt.name": "sgd", "DEPTH": -3}
    expected = SOURCE.replace("1e-3", "0.25").replace("64", "128").replace("0.1", "None").replace("'adam'", "'sgd'")
    assert PythonFile.of(content).set_values(values, found) == expected.replace("    2\n", "    -3\n").encode()


def test_a_file_in_another_encoding_stays_in_it() -> None:
    content = "# -*- coding: latin-1 -*-\nNAME = 'é'; X = 1\n".encode("latin-1")
    found, _ = constants_in(content, ["X"])
    assert PythonFile.of(content).set_values({"X": 2}, found) == content.replace(b"X = 1", b"X = 2")
    marked = b"\xef\xbb\xbfX = 1\n"
    found, _ = constants_in(marked, ["X"])
    assert PythonFile.of(marked).set_values({"X": 2}, found) == b"\xef\xbb\xbfX = 2\n"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("Y = 1\n", "has no constant X"),
        ("X = 1\nX = 2\n", "sets X 2 times"),
        ("X = 1\nif True:\n    X = 2\n", "sets X 2 times"),
        ("X = 1\nX += 2\n", "sets X 2 times"),
        ("try:\n    X = 1\nexcept OSError:\n    pass\n", "X is set within a block"),
        ("if a:\n    pass\nelse:\n    for b in c:\n        X = 1\n", "X is set within a block"),
        ("match a:\n    case 1:\n        X = 1\n", "X is set within a block"),
        ("X = 2 * 3\n", "X is computed"),
        ("X = [1]\n", "X is no number"),
        ("X = Y = 1\n", "X is not set by itself"),
        ("X, Y = 1, 2\n", "X is not set by itself"),
        ("def f():\n    X = 1\n", "has no constant X"),
        ("class A:\n    X = 1\n", "has no constant X"),
        ("X = (\n", "is no Python that can be read"),
        ("X = 1\n\0", "is no Python that can be read"),
    ],
)
def test_a_constant_that_cannot_be_replaced_safely_is_a_fault_in_words(source: str, fault: str) -> None:
    found, faults = constants_in(source.encode(), ["X"])
    assert found == {}
    assert fault in "; ".join(faults)


def test_every_fault_of_a_search_is_said_at_once_before_anything_runs(tmp_path: Path) -> None:
    parameters: dict[str, Any] = {
        "A": {"low": 2, "high": 1},
        "B": {"low": 0, "high": 1, "log": True},
        "C": {"low": 0.5, "high": 2, "integer": True},
        "D": {"low": 1},
        "E": {"choices": [1]},
        "F": {"choices": [1, 2], "low": 0},
        "G": {"choices": [[1], 2]},
        "H": {"low": 0, "high": float("inf")},
    }
    spec = view_of(tmp_path, **search(**parameters), subject={"mutable": ["a.py"], "entry": "train.py"}).spec
    with pytest.raises(FlagstoneError) as raised:
        proposer_for(spec, ROOT / "prompts")
    for words in (
        "A: low (2) is not below high (1)",
        "B: steps by factors (log) need a low above 0, not 0",
        "C: low and high of a whole number are whole numbers",
        "D: needs low and high, or choices",
        "E: needs two different choices at least",
        "F: has choices and a range: give one of them",
        "G: choices are numbers, texts, true, false or null",
        "H: low and high have to be finite",
        "search changes train.py, which is not one of the files that may change",
    ):
        assert words in raised.value.problem


def test_constants_that_are_not_in_the_file_are_said_before_anything_runs(tmp_path: Path) -> None:
    view = view_of(tmp_path, **search(X={"low": 0, "high": 1}, Y={"low": 0, "high": 1}))
    (tmp_path / "train.py").write_text("X = 1\nX = 2\n")
    with pytest.raises(FlagstoneError, match=r"train.py sets X 2 times; train.py has no constant Y"):
        proposer_for(view.spec, ROOT / "prompts")
    (tmp_path / "train.py").unlink()
    with pytest.raises(FlagstoneError, match="cannot read"):
        proposer_for(view.spec, ROOT / "prompts")


def test_a_proposal_changes_the_constant_and_says_how(tmp_path: Path) -> None:
    view = view_of(tmp_path, [entry_of(1, "advance", 1.0)], **search())
    draft = draft_of(tmp_path, "X = 1.0  # here\nY = 2\n")
    (tmp_path / "train.py").write_text("X = 1.0\n")
    said = proposer_for(view.spec, ROOT / "prompts").propose(view, draft, tmp_path / "agent")
    x = said.facts["parameters"]["X"]
    assert (draft / "train.py").read_text() == f"X = {x!r}  # here\nY = 2\n"
    assert 0 <= x <= 10
    assert said.note == f"X {x:.6g}"
    assert said.facts["change"] == f"X = 1 → {x:.6g}"


def test_the_same_runs_give_the_same_proposal_and_another_seed_another(tmp_path: Path) -> None:
    first = entry_of(1, "advance", 1.0)
    view = view_of(tmp_path, [first], **search())
    assert proposal(view, 2) == proposal(view, 2)
    assert proposal(view, 2) != proposal(view, 4)
    assert proposal(view, 2) != proposal(view_of(tmp_path, [first], **search(), seed=1), 2)


def test_every_second_proposal_stays_near_the_best_and_the_others_go_anywhere(tmp_path: Path) -> None:
    view = view_of(tmp_path, [entry_of(1, "advance", 1.0)], **search(X={"low": 0, "high": 100}))
    far = [abs(proposal(view, number, "X = 50.0\n").facts["parameters"]["X"] - 50) for number in range(2, 62)]
    assert sum(far[1::2]) / 30 < 12 < 20 < sum(far[0::2]) / 30
    assert all(far)


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ({"low": 1e-5, "high": 1e-1, "log": True}, 1e-3),
        ({"low": 1, "high": 3, "integer": True}, 2),
        ({"low": 1, "high": 1000, "integer": True, "log": True}, 10),
        ({"choices": ["adam", "sgd", None, True, 0.5]}, "adam"),
    ],
)
def test_drawn_values_lie_in_their_range_and_differ_from_now(tmp_path: Path, told: dict[str, Any], start: Any) -> None:
    view = view_of(tmp_path, [entry_of(1, "advance", 1.0)], **search(X=told))
    proposer = proposer_for(view.spec.__class__(**{**vars(view.spec), "parent": "another"}), ROOT / "prompts")
    assert isinstance(proposer, SearchProposer)
    for number in range(2, 40):
        draft = draft_of(tmp_path, f"X = {start!r}\n", name=f"draft-{number}")
        said = proposer.propose(replace(view, number=number), draft, tmp_path / "agent")
        written = ast.literal_eval((draft / "train.py").read_text().removeprefix("X = "))
        assert written == said.facts["parameters"]["X"] != start
        assert proposer.ranges[0].holds(written)
        assert isinstance(written, int) or not told.get("integer")


def test_a_range_by_factors_is_drawn_by_factors() -> None:
    each = Range("X", 1e-4, 1.0, is_log=True)
    assert [each.at(place) for place in (0.0, 0.25, 0.5, 1.0)] == [1e-4, 1e-3, 1e-2, 1.0]
    whole = Range("X", 1, 4, is_integer=True)
    assert [whole.at(place / 8) for place in range(9)] == [1, 1, 2, 2, 3, 3, 4, 4, 4]


def test_nothing_is_tried_twice_and_the_search_ends_with_the_last_combination(tmp_path: Path) -> None:
    view = view_of(tmp_path, [], **search(X={"choices": [1, 2, 3]}, Y={"low": 0, "high": 1, "integer": True}))
    entries, seen = [entry_of(1, "advance", 1.0)], []
    for number in range(2, 7):
        said = proposal(view, number, "X = 1\nY = 0\n", entries)
        seen.append(tuple(said.facts["parameters"].values()))
        entries.append(tried(number, 2.0, **said.facts["parameters"]))
    assert sorted(seen) == [(1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    said = proposal(view, 7, "X = 1\nY = 0\n", entries)
    assert (said.failure, said.facts) == ("every combination of the constants was tried", {"exhausted": True})


def test_a_value_of_the_project_that_is_no_choice_takes_none_of_the_tries(tmp_path: Path) -> None:
    view = view_of(tmp_path, [], **search(X={"choices": [1, 2, 3]}))
    entries, seen = [tried(1, 1.0, X=9)], []
    for number in range(2, 5):
        said = proposal(view, number, "X = 9\n", entries)
        seen.append(said.facts["parameters"]["X"])
        entries.append(tried(number, 2.0, X=seen[-1]))
    assert sorted(seen) == [1, 2, 3]
    assert proposal(view, 5, "X = 9\n", entries).facts == {"exhausted": True}


def test_a_linked_file_is_never_written_through(tmp_path: Path) -> None:
    view = view_of(tmp_path, [entry_of(1, "advance", 1.0)], subject={"mutable": ["prepare.py"]}, **search())
    (tmp_path / "prepare.py").write_text("X = 1\n")
    with pytest.raises(FlagstoneError, match="it is a link"):
        proposer_for(view.spec, ROOT / "prompts").propose(view, draft_of(tmp_path), tmp_path / "agent")


def test_tpe_without_optuna_is_refused_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flagstone.experiments.proposers.tpe.find_spec", lambda name: None)
    with pytest.raises(FlagstoneError, match=r"pip install optuna; or take method: random"):
        proposer_for(view_of(tmp_path, **search("tpe")).spec, ROOT / "prompts")


@needs_optuna
def test_tpe_comes_nearer_than_random_draws_and_is_the_same_for_the_same_runs(tmp_path: Path) -> None:
    parameters = {name: {"low": -10, "high": 10} for name in "XYZ"}

    def best(method: str) -> float:
        view = view_of(tmp_path, [], **search(method, **parameters), seed=3)
        entries = [entry_of(1, "advance", 500.0, best_run="r0001")]
        for number in range(2, 62):
            told = proposal(view, number, "X = 9.0\nY = 9.0\nZ = 9.0\n", entries)
            assert told == proposal(view, number, "X = 9.0\nY = 9.0\nZ = 9.0\n", entries)
            found = told.facts["parameters"]
            value = sum((found[name] - place) ** 2 for name, place in zip("XYZ", (3, -4, 0), strict=True))
            crash: dict[str, Any] = {"status": "crash", "valid": False} if found["X"] > 8 else {}
            entries.append(replace(tried(number, None if crash else value, **found), **crash))
        return min(entry.value for entry in entries if entry.value is not None)

    assert best("tpe") < best("random")


@needs_optuna
def test_tpe_takes_runs_of_other_ranges_and_choices_as_they_are(tmp_path: Path) -> None:
    told: dict[str, Any] = {"X": {"choices": ["a", None, 2]}, "Y": {"low": 1, "high": 64, "integer": True, "log": True}}
    view = view_of(tmp_path, [], **search("tpe", **told))
    entries = [tried(number, 1.0 * number, X=x, Y=number) for number, x in enumerate(["a", 2, "gone", None] * 4, 2)]
    said = proposal(view, 18, "X = 'a'\nY = 1\n", [*entries, tried(18, 1.0, Y=2)])
    assert said.facts["parameters"]["X"] in ("a", None, 2)
    assert 1 <= said.facts["parameters"]["Y"] <= 64


@pytest.mark.parametrize(
    "source, told, is_whole",
    [
        ("X = 8\n", {"low": 4, "high": 64}, True),
        ("X = 8.0\n", {"low": 4, "high": 64}, False),
        ("X = 8\n", {"low": 4.0, "high": 64}, False),
        ("X = 8\n", {"low": 4, "high": 64, "integer": False}, False),
        ("X = 8.0\n", {"low": 4, "high": 64, "integer": True}, True),
    ],
)
def test_a_whole_number_stays_one(tmp_path: Path, source: str, told: dict[str, Any], is_whole: bool) -> None:
    view = view_of(tmp_path, [entry_of(1, "advance", 1.0)], **search(X=told))
    drawn = [proposal(view, number, source).facts["parameters"]["X"] for number in range(2, 8)]
    assert all(isinstance(value, int) is is_whole for value in drawn), drawn
