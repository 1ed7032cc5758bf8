"""The projects in examples/, each played by a session. A script stands in for the agent."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from test_markers import commit, edit_marker, git, marker, session
from workbench import CHECKOUT, PROGRAMS

EXAMPLES = CHECKOUT / "examples"
TESTS = """import durations
import pytest


@pytest.mark.parametrize("words", ["2", "120s", "2m"])
def test_two_minutes(words):
    assert durations.seconds(words) == 120
    assert durations.text(120) == "2m" and durations.text(0) == "0s"


def test_the_longest():
    assert durations.longest(["1m", "1h", "2s"]) == "1h"
"""
EMPTY = "import durations\n\n\ndef test_all():\n    durations.text(99999)\n    durations.longest(['1h30m', '2d'])\n"
FAST = '''def common_words(first, second):
    """The words that stand in both texts, each once, in the order of the first text."""
    known = set(second.split())
    return list(dict.fromkeys(word for word in first.split() if word in known))
'''
WRONG = FAST.replace("dict.fromkeys(word for word in first.split() if word in known)", "known & set(first.split())")


@pytest.fixture(autouse=True)
def with_own_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples use the pytest and the ruff that are installed beside Flagstone."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


def play(tmp_path: Path, name: str, edits: dict[str, dict[str, str]]) -> Path:
    """A repository with the example, where the edit of each run is written down beforehand."""
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root)
    for run, files in edits.items():
        for path, text in files.items():
            (tmp_path / "edits" / run / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "edits" / run / path).write_text(text)
    git(root, "init", "-q")
    if edits:
        edit_marker(root, "max_experiments: 10,", "max_experiments: 2, proposer: scripted, script: ../edits,")
    commit(root)
    return root


def words(root: Path) -> list[str]:
    return [each["status"] for each in marker(root, "results")["data"]]


def test_coverage_goes_up_by_tests_that_assert_something(tmp_path: Path) -> None:
    root = play(
        tmp_path, "coverage", {"0002": {"tests/test_more.py": EMPTY}, "0003": {"tests/test_durations.py": TESTS}}
    )
    edit_marker(root, "guard: {", "guard: {rework_attempts: 0, ")
    commit(root)
    found = session(root)
    assert found["baseline"] == 29 and found["best"] > 60, found
    assert words(root) == ["keep", "discard", "keep"]


def test_a_function_becomes_faster_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    wrong = {"src/words.py": WRONG}
    root = play(tmp_path, "runtime", {"0002": wrong, "0003": {"src/words.py": FAST}})
    edit_marker(root, "guard: {", "guard: {rework_attempts: 0, ")
    commit(root)
    found = session(root)
    assert found["best"] < found["baseline"] / 5
    assert words(root) == ["keep", "discard", "keep"]


def test_the_last_warning_of_a_linter_is_cured(tmp_path: Path) -> None:
    before = (EXAMPLES / "lint/src/inventory.py").read_text()
    fewer = before.replace("import os, sys\n", "").replace("    unused = 1\n", "")
    none = (
        '"""Items by name."""\n\n\ndef total(items):\n    return sum(i["count"] for i in items if not i.get("gone"))\n'
    )
    none += '\n\ndef names(items):\n    return [i["name"] for i in items if not i.get("gone")]\n'
    none += '\n\ndef find(items, name):\n    return next((i for i in items if i["name"] == name), None)\n'
    root = play(tmp_path, "lint", {"0002": {"src/inventory.py": fewer}, "0003": {"src/inventory.py": none}})
    found = session(root)
    assert (found["baseline"], found["best"], found["status"]) == (13, 0, "completed")
    assert words(root) == ["keep", "keep", "keep"]


@pytest.mark.parametrize(
    ("name", "start", "enough"), [("circle-packing", 2.158, 2.5), ("heilbronn", 0.001, 0.01)], ids=["packing", "points"]
)
def test_a_numeric_proposer_improves_what_is_checked_exactly(
    tmp_path: Path, name: str, start: float, enough: float
) -> None:
    root = play(tmp_path, name, {})
    improve = root / "improve.py"
    improve.write_text(re.sub(r"^STARTS = \d+", "STARTS = 10", improve.read_text(), flags=re.M))
    commit(root)
    found = session(root, "--experiments", "2")
    assert found["baseline"] == start and found["best"] > enough, found


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("circle-packing", "packing.json", "0.083]", "0.0833334]"),
        ("circle-packing", "packing.json", "0.083]", "NaN]"),
        ("circle-packing", "packing.json", "0.083]", "-0.083]"),
        ("circle-packing", "packing.json", "0.083333,", "0.0829999999999999999999999,"),
        ("heilbronn", "points.json", "[0.1, 0.05]", "[0.1, -0.0000000000000000000001]"),
        ("heilbronn", "points.json", "[0.1, 0.05]", "[0.95, 0.0500000000000000000001]"),
        ("heilbronn", "points.json", "[0.1, 0.05],", ""),
        ("heilbronn", "points.json", "[0.1, 0.05]", '["0.1", 0.05]'),
    ],
)
def test_the_verifier_refuses_what_is_wrong_by_the_last_digit(
    tmp_path: Path, name: str, file: str, old: str, new: str
) -> None:
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root)
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))
    ended = subprocess.run(["python3", "score.py"], cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and not ended.stdout and ended.stderr


def test_the_verifier_gives_the_exact_sum(tmp_path: Path) -> None:
    circles = json.loads((EXAMPLES / "circle-packing/packing.json").read_text(), parse_float=Fraction)
    ended = subprocess.run(["python3", "score.py"], cwd=EXAMPLES / "circle-packing", capture_output=True, text=True)
    assert Fraction(ended.stdout.split()[1]) == sum(radius for _, _, radius in circles)
