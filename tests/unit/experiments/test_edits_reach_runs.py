"""A run imports what was edited, with the Python of the project, in every layout that projects have."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from checkouts import git
from laboratory import Edits, Laboratory

from flagstone.experiments.measuring.import_paths import import_roots, python_path
from flagstone.experiments.measuring.programs import OWN_FOLDER, search_path

PACKAGE = {
    "src/mypkg/__init__.py": "",
    "src/mypkg/model.py": "LR = 1.0\n",
    "src/mypkg/train.py": "from mypkg.model import LR\nprint('val_loss:', LR)\n",
    ".gitignore": ".flagstone\n",
}
MODEL = {"mutable": ["src/mypkg/model.py"]}


def halve(draft: Path) -> str:
    (draft / "src/mypkg/model.py").write_text("LR = 0.5\n")
    return "half"


def values(laboratory: Laboratory) -> list[float | None]:
    laboratory.run(Edits({2: halve}), limit=2)
    return [entry.value for entry in laboratory.entries()]


def installed(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an editable install has it: the package is imported from the project, wherever the program is started."""
    monkeypatch.setenv("PYTHONPATH", str(laboratory.project / "src"))


@pytest.mark.parametrize("kind", ["files", "git"])
def test_an_edit_of_an_installed_package_reaches_the_run(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    installed(laboratory, monkeypatch)
    laboratory.files = PACKAGE
    laboratory.make(harness={"argv": [sys.executable, "-m", "mypkg.train"]}, subject={**MODEL, "kind": kind})
    if kind == "git":
        git(laboratory.project, "init", "-q")
        git(laboratory.project, "add", "-A")
        git(laboratory.project, "commit", "-qm", "i")
    assert values(laboratory) == [1.0, 0.5]


def test_an_entry_that_nobody_has_committed_imports_what_was_edited(laboratory: Laboratory) -> None:
    laboratory.files = {"model.py": "LR = 1.0\n"}
    subject = {"mutable": ["model.py"], "kind": "git", "entry": "train.py"}
    laboratory.make(harness={"argv": [sys.executable, "train.py"]}, subject=subject)
    git(laboratory.project, "init", "-q")
    git(laboratory.project, "add", "model.py")
    git(laboratory.project, "commit", "-qm", "i")
    (laboratory.project / "train.py").write_text("import model\nprint('val_loss:', model.LR)\n")
    (laboratory.project / ".gitignore").write_text(".flagstone\n")

    def edit(draft: Path) -> str:
        (draft / "model.py").write_text("LR = 0.5\n")
        return "half"

    laboratory.run(Edits({2: edit}), limit=2)
    assert [entry.value for entry in laboratory.entries()] == [1.0, 0.5]


def test_an_entry_that_is_named_by_its_whole_path_is_that_of_the_tree(laboratory: Laboratory) -> None:
    laboratory.files = PACKAGE
    entry = laboratory.project / "src" / "mypkg" / "train.py"
    laboratory.make(harness={"argv": [sys.executable, str(entry)]}, subject=MODEL)
    assert values(laboratory) == [1.0, 0.5]


def test_the_tree_is_filled_in_in_the_command_and_in_its_variables(laboratory: Laboratory) -> None:
    laboratory.files = {
        **PACKAGE,
        "show.py": "import os, sys\nprint(sys.argv[1], os.environ['W'])\nprint('val_loss: 1')\n",
    }
    harness = {"argv": [sys.executable, "show.py", "{tree}/a"], "env": {"W": "{tree}/{seed}"}}
    laboratory.make(harness=harness, subject=MODEL)
    laboratory.run(limit=1)
    tree = laboratory.home.root / "trees" / "0"
    assert laboratory.home.run("r0001").log.read_text().startswith(f"{tree}/a {tree}/")


def test_members_of_a_workspace_are_imported_from_the_tree(tmp_path: Path) -> None:
    for member in ("packages/one/src", "packages/two"):
        (tmp_path / member).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    assert import_roots(tmp_path) == (".", "packages/one/src", "packages/one", "packages/two")


def test_what_python_was_told_to_import_stays_and_leads_into_the_tree(tmp_path: Path) -> None:
    inherited = {"PYTHONPATH": f"{tmp_path}/lib:/elsewhere"}
    assert python_path(tmp_path, Path("/tree"), "first", inherited) == "first:/tree:/tree/lib:/elsewhere"


def program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "python"
    path.write_text(f'#!/bin/sh\necho "this is $0"\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


def test_a_run_uses_the_python_of_the_person_and_keeps_to_it(
    laboratory: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, other = program(tmp_path / "theirs"), program(tmp_path / "other")
    laboratory.make(harness={"argv": ["python", "train.py"]})
    monkeypatch.setenv("PATH", f"{theirs.parent}:/usr/bin:/bin")
    assert laboratory.open().start["program"] == str(theirs)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")
    laboratory.run(limit=1)
    assert f"this is {theirs}" in laboratory.home.run("r0001").log.read_text()


def test_our_own_programs_come_last_but_first_in_an_experiment_that_knew_no_others() -> None:
    assert search_path("", {"PATH": "/a:/b"}) == f"/a:/b:{OWN_FOLDER}"
    assert search_path(None, {"PATH": "/a:/b"}) == f"{OWN_FOLDER}:/a:/b"


CACHES = """import os
for name in ("HF_HOME", "TORCH_HOME", "NLTK_DATA", "KERAS_HOME"):
    folder = os.environ[name]
    print(name, open(os.path.join(folder, "sub", "model")).read())
    if name != "NLTK_DATA":  # NLTK only reads
        open(os.path.join(folder, "sub", "model.lock"), "w").close()
print("other", open(os.path.join(os.environ["XDG_CACHE_HOME"], "mine", "x")).read())
print("offline", os.environ.get("HF_HUB_OFFLINE"))
print("compiled", os.listdir(os.path.dirname(os.environ["NUMBA_CACHE_DIR"])))
print("val_loss: 1")
"""


def test_caches_of_models_and_data_are_found_and_can_be_locked(
    laboratory: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    places = {
        "HF_HOME": ".cache/huggingface",
        "TORCH_HOME": "elsewhere",
        "NLTK_DATA": "nltk_data",
        "KERAS_HOME": ".keras",
    }
    for name, place in places.items():
        (home / place / "sub").mkdir(parents=True)
        (home / place / "sub" / "model").write_text(name.lower())
        monkeypatch.delenv(name, raising=False)
    (home / ".cache" / "mine").mkdir()
    (home / ".cache" / "mine" / "x").write_text("mine")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TORCH_HOME", str(home / "elsewhere"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    laboratory.files = {"train.py": CACHES}
    laboratory.make(harness={"argv": [sys.executable, "train.py"], "network": False}, sandbox="auto")
    laboratory.run(limit=1)
    said = laboratory.home.run("r0001").log.read_text()
    for words in (*(f"{name} {name.lower()}" for name in places), "other mine", "offline 1"):
        assert words in said
    assert not list(home.rglob("*.lock"))
    assert os.listdir(home / ".cache" / "mine") == ["x"]
