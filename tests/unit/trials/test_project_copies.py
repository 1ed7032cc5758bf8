"""The copy of a project that a campaign works on: what is in it, what is not, and that the project is only read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import read_record
from flagstone.trials.campaign.project import COPY, SETUP, Handover, copy_project, hand_over


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "nano"
    (folder / "src").mkdir(parents=True)
    for name in ("train.py", "score.py", "src/old.py"):
        (folder / name).write_text("committed\n")
    (folder / "elsewhere").symlink_to("/etc/hostname")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    return folder


def test_uncommitted_edits_of_mutable_files_come_along_and_no_others(project: Path, tmp_path: Path) -> None:
    (project / "train.py").write_text("edited\n")
    (project / "score.py").write_text("edited\n")
    (project / "src" / "old.py").unlink()
    (project / "src" / "new.py").write_text("new\n")
    (project / "notes.txt").write_text("new\n")
    commit, changed = copy_project(project, tmp_path / "copy", ["train.py", "src/*.py"])
    copy = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert copy == {"train.py", "score.py", "src/new.py"}
    assert (tmp_path / "copy" / "train.py").read_text() == "edited\n"
    assert (tmp_path / "copy" / "score.py").read_text() == "committed\n"
    assert sorted(changed) == ["src/new.py", "src/old.py", "train.py"]
    assert len(commit) == 40


def test_a_folder_without_git_is_copied_without_its_environment(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").write_text("")
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    (folder / "train.py").write_text("x\n")
    run = Run(tmp_path / "run")
    assert hand_over(run, Handover(folder)) == str(folder / ".venv" / "bin" / "python")
    assert sorted(path.name for path in (run.root / COPY).iterdir()) == ["train.py"]
    assert (read_record(run.root / SETUP) or {})["environment"] == str(folder / ".venv" / "bin" / "python")


def test_data_is_copied_beside_with_its_digest_and_linked_where_the_project_expects_it(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "corpus").mkdir(parents=True)
    (folder / "corpus" / "a.txt").write_text("words\n")
    run = Run(tmp_path / "run")
    hand_over(run, Handover(folder, data=("corpus",)))
    link = run.root / COPY / "corpus"
    assert link.is_symlink()
    assert link.resolve() == run.workspace / "data" / "project" / "corpus"
    assert (link / "a.txt").read_text() == "words\n"
    assert len((read_record(run.root / SETUP) or {})["data"]["corpus"]) == 64
    with pytest.raises(FlagstoneError, match="there is no data missing"):
        hand_over(Run(tmp_path / "other"), Handover(folder, data=("missing",)))
