"""Real projects at first contact: git asked inside a run, submodules, LFS, shared memory, files a run may not write."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.measuring.denials import setting_for
from flagstone.processes.confinement import machine

ASKING = """import os, subprocess, sys
X = 1.0
for words in (["rev-parse", "HEAD"], ["describe", "--tags"], ["status", "--short"], ["rev-parse", "--show-toplevel"]):
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    print("git", words[-1], done.returncode, done.stdout.strip(), done.stderr.strip())
sys.path.insert(0, "third")
try:
    import library
    print("library", library.V, library.__file__)
except ImportError as error:
    print("library is missing")
print("val_loss:", (X - 3) ** 2)
"""
ME = ("-c", "user.name=me", "-c", "user.email=me@localhost", "-c", "protocol.file.allow=always")


def git(folder: Path, *words: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["git", *ME, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(laboratory: Laboratory) -> Laboratory:
    """A repository with a tag, and a library as its submodule, which has a submodule of its own."""
    deep, library, root = (laboratory.folder / name for name in ("deep", "library", "project"))
    for folder, name, text in ((deep, "deep.py", "D = 1\n"), (library, "library.py", "V = 7\n")):
        git(folder, "init", "-q")
        (folder / name).write_text(text)
        committed(folder)
    git(library, "submodule", "--quiet", "add", str(deep), "deep")
    committed(library)
    git(root, "init", "-q")
    (root / "train.py").write_text(ASKING)
    (root / ".gitignore").write_text(".flagstone/\n")
    git(root, "submodule", "--quiet", "add", str(library), "third")
    git(root, "submodule", "--quiet", "update", "--init", "--recursive")
    committed(root)
    git(root, "tag", "-m", "first", "v1.0")
    laboratory.files = {}
    return laboratory


def log(laboratory: Laboratory, run: str = "r0001") -> str:
    return laboratory.home.run(run).log.read_text()


@pytest.mark.parametrize("kind", ["git", "files"])
def test_a_program_that_asks_git_gets_the_commit_the_experiment_began_with(project: Laboratory, kind: str) -> None:
    head = git(project.project, "rev-parse", "HEAD")
    project.make(subject={"mutable": ["train.py"], "entry": "train.py", "kind": kind})
    project.run(Edits({2: set_x(2.0)}), limit=2)
    tree = project.home.root / "trees" / "0"
    assert f"git HEAD 0 {head}" in log(project)
    assert "git --tags 0 v1.0" in log(project)
    assert f"git --show-toplevel 0 {tree}" in log(project)
    edit = ["M", "train.py"] if kind == "git" else []  # otherwise what is behind links would be a change too
    status = next(line for line in log(project, "r0002").splitlines() if line.startswith("git --short"))
    assert status.split() == ["git", "--short", "0", *edit]
    assert project.words()[-1] == ("r0002", "ok", "advance")
    assert git(project.project, "status", "--short") == ""
    assert not (project.home.working / ".git").exists()


def test_what_a_run_does_with_git_never_reaches_the_project(project: Laboratory) -> None:
    commit = "import subprocess\nfor words in (['add', '-A'], ['commit', '-qm', 'mine'], ['tag', 'mine']):\n"
    commit += "    subprocess.run(['git', '-c', 'user.name=x', '-c', 'user.email=x@y', *words])\n"
    (project.project / "train.py").write_text(commit + ASKING)
    head = committed(project.project)
    project.make(sandbox="off", subject={"mutable": ["train.py"], "entry": "train.py", "kind": "git"})
    project.run(Edits({2: set_x(2.0)}), limit=2)
    assert git(project.project, "rev-parse", "HEAD") == head
    assert git(project.project, "tag") == "v1.0" and git(project.project, "status", "--short") == ""
    assert project.words()[-1] == ("r0002", "ok", "advance")


def test_submodules_are_taken_from_the_checkout_and_what_is_within_them_may_not_change(project: Laboratory) -> None:
    shutil.rmtree(project.folder / "library")  # nobody could be asked for it
    shutil.rmtree(project.folder / "deep")
    project.make(subject={"mutable": ["**"], "entry": "train.py", "kind": "git"})

    def edit(draft: Path) -> str:
        (draft / "third" / "library.py").write_text("V = 8\n")
        return "the library"

    project.run(Edits({2: edit, 3: set_x(2.0)}), limit=3)
    tree = project.home.root / "trees" / "0"
    assert f"library 7 {tree}/third/library.py" in log(project)
    assert (tree / "third" / "deep" / "deep.py").read_text() == "D = 1\n"
    assert project.words()[1:] == [("r0002", "violation", "invalid"), ("r0003", "ok", "advance")]
    assert project.entries()[1].reason == "third/library.py was changed within a submodule"
    assert project.open().subject.notices(project.open().base) == ()


def test_a_submodule_that_is_not_checked_out_is_named_with_the_cure(project: Laboratory) -> None:
    git(project.project, "submodule", "--quiet", "deinit", "-f", "third")
    shutil.rmtree(project.project / ".git" / "modules")
    project.make(subject={"mutable": ["train.py"], "entry": "train.py", "kind": "git"})
    [notice] = project.open().subject.notices(project.open().base)
    assert "not checked out" in notice and "git submodule update --init" in notice and notice.endswith("third")
    project.run(Edits({}), limit=1)
    assert "library is missing" in log(project)


def test_files_that_lfs_keeps_elsewhere_are_named(project: Laboratory) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    (project.project / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (project.project / "weights.bin").write_text(pointer)
    committed(project.project)
    project.make(subject={"mutable": ["train.py"], "entry": "train.py", "kind": "git"})
    assert [n for n in project.open().subject.notices(project.open().base) if "LFS" in n and "weights.bin" in n]


@pytest.fixture
def shared() -> Iterator[Path]:
    place = Path(f"/dev/shm/flagstone-test-{os.getpid()}")
    place.mkdir()
    yield place
    shutil.rmtree(place)


def test_a_project_in_shared_memory_works_and_its_data_may_not_be_written(laboratory: Laboratory, shared: Path) -> None:
    if machine.bubblewrap_fault():
        pytest.skip(machine.bubblewrap_fault())
    here = Laboratory(shared / "here", said=laboratory.said)
    source = "try:\n    open('data/new.csv', 'w')\nexcept OSError as error:\n    print(error)\nX = 1.0\n"
    source += "print('val_loss:', (X - 3) ** 2 + 0 * len(open('data/x.csv').read()))\n"
    here.files = {"train.py": source, "data/x.csv": "1\n"}
    here.make(sandbox="auto")
    here.run(Edits({2: set_x(2.0)}), limit=2)
    assert [words[1:] for words in here.words()] == [("ok", "advance"), ("ok", "advance")]
    assert not (here.project / "data" / "new.csv").exists()


def test_what_the_unedited_files_were_not_allowed_to_write_is_told_with_the_option(laboratory: Laboratory) -> None:
    if machine.bubblewrap_fault():
        pytest.skip(machine.bubblewrap_fault())
    source = "try:\n    open('results/metrics.csv', 'w')\nexcept OSError as error:\n    print(error)\nX = 1.0\n"
    laboratory.files = {"train.py": source + "print('val_loss:', X)\n", "results/metrics.csv": "1"}
    laboratory.make(sandbox="auto")
    laboratory.run(Edits({2: set_x(0.5)}), limit=2)
    [told] = [words for words in laboratory.said if "could not write to" in words]
    assert told.startswith("r0001 could not write to results/metrics.csv") and "--scratch results" in told


@pytest.mark.parametrize(
    ("path", "setting"),
    [("results/a/m.csv", "results"), ("lab/one/out.json", "lab/one/out.json"), ("lab/logs/x", "lab/logs")],
)
def test_the_option_for_a_denied_file_takes_no_program_from_the_run(tmp_path: Path, path: str, setting: str) -> None:
    for name in ("lab/one/helper.py", "lab/logs/x", "results/a/m.csv", path):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert setting_for(path, tmp_path).endswith(f"--scratch {setting}")
