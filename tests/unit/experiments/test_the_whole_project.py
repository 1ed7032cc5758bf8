"""What runs can read of the project is noted at the beginning; a change in the middle is told, or ends it all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates import survey as surveys
from flagstone.experiments.candidates.survey import Survey
from flagstone.experiments.ledger.ledger import History
from flagstone.experiments.reporting.report import report_of
from flagstone.records import read_record, write_record

TRAIN = "import prepare\nX = 1.0\nprint('val_loss:', (X - 3) ** 2 + len(open('data/x.csv').read()) * 0)\n"
FILES = {
    "train.py": TRAIN,
    "prepare.py": "OFFSET = 0\n",
    "pkg/model.py": "Y = 1\n",
    "data/x.csv": "1\n",
    ".gitignore": "data/\n",
    ".venv/pyvenv.cfg": "home = /usr/bin\n",
    "outputs/old.txt": "old\n",
}


@pytest.fixture
def project(laboratory: Laboratory) -> Laboratory:
    laboratory.files = FILES
    return laboratory.make(harness={"argv": [sys.executable, "train.py"], "seconds": 30})


def after(change: Callable[[Path], object], laboratory: Laboratory, value: float = 2.0) -> Callable[[Path], str | None]:
    """An edit during which somebody changes the project."""

    def edit(draft: Path) -> str | None:
        change(laboratory.project)
        return set_x(value)(draft)

    return edit


def test_a_change_of_what_runs_can_read_is_told_in_the_line_of_the_run(project: Laboratory) -> None:
    def change(root: Path) -> None:
        (root / "data" / "x.csv").write_text("1\n2\n")
        (root / "pkg" / "model.py").unlink()
        (root / "data" / "new.csv").write_text("3\n")
        (root / "outputs" / "new.txt").write_text("runs write here\n")
        (root / ".venv" / "pyvenv.cfg").write_text("home = /opt\n")

    project.run(Edits({2: after(change, project), 3: set_x(2.5)}), limit=3)
    first, second, third = project.entries()
    assert (first.project_changes, third.project_changes) == ((), ())
    gone, new, changed = (
        [words for words in second.project_changes if mark in words] for mark in ("is gone", "is new", "changed (")
    )
    assert gone == ["pkg/model.py is gone"] and new == ["data/new.csv is new"]
    assert [words.split()[0] for words in changed] == ["data/x.csv"] and len(second.project_changes) == 3
    assert any("changed in the project" in words and "data/x.csv" in words for words in project.said)
    report = report_of(project.open())
    assert "## Changed in the project meanwhile" in report and "- before r0002: pkg/model.py is gone" in report


def test_a_change_between_two_calls_is_told_too(project: Laboratory) -> None:
    project.run(Edits({}), limit=1)
    (project.project / "data" / "x.csv").write_text("another\n")
    project.run(Edits({2: set_x(2.0)}), limit=2)
    assert [len(entry.project_changes) for entry in project.entries()] == [0, 1]


def test_a_kill_before_the_line_of_the_run_loses_no_change(
    project: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run(Edits({}), limit=1)
    (project.project / "data" / "x.csv").write_text("another\n")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(History, "append", killed)
        project.run(Edits({2: set_x(2.0)}), limit=2)
    project.run(Edits({2: set_x(2.0)}), limit=2)
    assert [len(entry.project_changes) for entry in project.entries()] == [0, 1]


def test_what_decides_about_the_number_ends_the_experiment_if_it_changes(project: Laboratory) -> None:
    edit = after(lambda root: (root / "prepare.py").write_text("OFFSET = 9\n"), project)
    with pytest.raises(WorkFailed, match=r"tampered: prepare\.py was"):
        project.run(Edits({2: edit}), limit=3)


def test_another_interpreter_is_another_contract(laboratory: Laboratory, tmp_path: Path) -> None:
    own = tmp_path / "bin" / "python-of-mine"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    own.chmod(0o755)
    laboratory.make(harness={"argv": [str(own), "train.py"], "seconds": 30})
    laboratory.run(Edits({}), limit=1)
    assert str(own) in laboratory.open().start["files"]
    own.write_text(f'#!/bin/sh\nX=1 exec {sys.executable} "$@"\n')
    with pytest.raises(FlagstoneError, match=r"python-of-mine was \w{16}, is \w{16}"):
        laboratory.run(Edits({}), limit=2)


def test_an_experiment_of_an_earlier_version_goes_on(project: Laboratory) -> None:
    project.run(Edits({}), limit=1)
    home = project.home
    (home.root / "state" / "project.json").unlink()
    start = read_record(home.start)
    assert start is not None
    files = {name: digest for name, digest in start["files"].items() if not name.startswith("/")}
    contract = project.open().contract
    write_record(home.start, {**start, "files": files, "contract": contract.digest(files)})
    (project.project / "data" / "x.csv").write_text("another\n")
    project.run(Edits({2: set_x(2.0)}), limit=2)
    assert project.words()[-1][1:] == ("ok", "advance")


def survey_of(root: Path, record: Path) -> Survey:
    return Survey(root, record, lambda path: not path.endswith(".pyc"))


def test_of_many_changes_some_are_named_and_all_are_counted(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    survey = survey_of(root, tmp_path / "record.json")
    survey.begin()
    for number in range(60):
        (root / f"{number}.csv").write_text(str(number))
    found = survey.changes()
    assert found[:2] == ("60 files changed, of which 50 are named", "0.csv is new")
    assert len(found) == 51


def test_a_look_reads_no_file_whose_size_and_times_are_the_same(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for number in range(200):
        path = root / str(number % 7) / f"{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    survey = survey_of(root, tmp_path / "record.json")
    survey.begin()
    assert len(survey.hashed) == 200
    again = survey_of(root, tmp_path / "record.json")
    assert (again.changes(), again.hashed) == ((), [])
    os.utime(root / "3" / "3.csv")
    again.due_at = 0
    assert again.changes() == () and again.hashed == ["3/3.csv"], "read, and found to be what it was"
    again.note()
    again.due_at = 0
    assert (again.changes(), again.hashed) == ((), [])


def test_a_costly_look_is_not_made_at_every_run(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    survey = survey_of(root, tmp_path / "record.json")
    survey.begin()
    survey.due_at = float("inf")
    (root / "new.csv").touch()
    assert survey.changes() == ()
    survey.due_at = 0
    assert survey.changes() == ("new.csv is new",)


def test_what_is_too_large_to_be_read_is_compared_by_size_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "LARGEST", 3)
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.bin").write_text("large")
    survey = survey_of(root, tmp_path / "record.json")
    survey.begin()
    (root / "a.bin").write_text("larger")
    assert survey.changes() == ("a.bin changed (5 bytes, now 6)",)
    survey.note()
    survey.due_at = 0
    os.link(root / "a.bin", tmp_path / "second")
    assert (survey.changes(), survey.hashed) == ((), [])


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_a_proposer_reaches_nothing_of_the_project_through_a_link(laboratory: Laboratory, sandbox: str) -> None:
    laboratory.files = FILES
    laboratory.make(sandbox=sandbox)
    links: list[str] = []

    def edit(draft: Path) -> str | None:
        links.extend(str(path) for path in draft.rglob("*") if path.is_symlink())
        assert (draft / "pkg" / "model.py").is_file() and not (draft / "data").exists()
        return set_x(2.0 + len(list(draft.parent.parent.glob("r*"))) / 10)(draft)

    laboratory.run(Edits({2: edit, 3: edit}), limit=3)
    assert links == []
    assert [words[1] for words in laboratory.words()] == ["ok", "ok", "ok"]
