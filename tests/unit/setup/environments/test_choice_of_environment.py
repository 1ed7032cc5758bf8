"""The interpreter of a project is found from files, in a fixed order, and never is Flagstone's own without a word."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_environments import make_environment, report, trap


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text("import torch\n")
    return folder


@pytest.mark.parametrize("name", [".venv", "venv", "env"])
def test_the_environment_of_the_project_is_named_relative_to_it(project: Path, name: str) -> None:
    make_environment(project / name, ["torch"])
    found = report(project)
    assert (found.python, found.finding.confidence, found.faults) == (f"{name}/bin/python", "certain", ())


def test_what_python_itself_makes_is_understood(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    (project / "train.py").write_text("import json\n")
    found = report(project)
    assert found.chosen is not None
    assert (found.python, found.faults) == (".venv/bin/python", ())
    assert sys.version.startswith(found.chosen.version)


def test_a_folder_called_env_is_no_environment_by_its_name_alone(project: Path) -> None:
    (project / "env").mkdir()
    (project / "env" / "settings.py").write_text("")
    assert report(project).chosen is None


def test_the_active_environment_comes_first_if_it_has_what_is_imported(project: Path, tmp_path: Path) -> None:
    make_environment(project / ".venv", ["torch"])
    active = make_environment(tmp_path / "active", ["torch"])
    found = report(project, {"VIRTUAL_ENV": str(active)})
    assert found.python == str(active / "bin" / "python")
    assert found.finding.confidence == "likely"  # two would do, and both are shown
    assert [(each.value, each.why) for each in found.finding.lost] == [
        (".venv/bin/python", "has what the entry imports")
    ]


def test_an_active_environment_without_the_packages_is_not_that_of_the_project(project: Path, tmp_path: Path) -> None:
    make_environment(project / ".venv", ["torch"])
    active = make_environment(tmp_path / "active", ["numpy"])
    found = report(project, {"CONDA_PREFIX": str(active)})
    assert found.python == ".venv/bin/python"
    assert [each.why for each in found.finding.lost] == ["lacks torch"]


def test_a_broken_environment_of_the_project_is_told_rather_than_what_path_lacks(project: Path, tmp_path: Path) -> None:
    make_environment(project / ".venv", ["torch"], home=tmp_path / "gone")
    trap(tmp_path / "bin" / "python3")
    found = report(project, {"PATH": str(tmp_path / "bin")})
    assert "is gone" in found.faults[0]


def test_the_environment_of_flagstone_is_never_chosen_silently(project: Path) -> None:
    (project / "train.py").write_text("import click\n")
    found = report(project, {"VIRTUAL_ENV": sys.prefix, "PATH": f"{sys.prefix}/bin"})
    assert found.finding.confidence == "unclear"
    assert found.finding.note == "Flagstone itself runs in it."
    assert [cure.kind for cure in found.cures] == ["stop"]
    make_environment(project / ".venv", ["click"])
    assert report(project, {"VIRTUAL_ENV": sys.prefix}).python == ".venv/bin/python"


def test_on_path_the_programs_of_flagstone_are_passed_over(project: Path, tmp_path: Path) -> None:
    (project / "train.py").write_text("import json\n")
    trap(tmp_path / "bin" / "python3")
    found = report(project, {"PATH": f"{sys.prefix}/bin:{tmp_path}/bin"})
    assert (found.python, found.others) == (f"{tmp_path}/bin/python3", ())


def test_uv_pixi_conda_and_poetry_have_places_of_their_own(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (project / "environment.yml").write_text("name: trees\ndependencies: [python]\n")
    (project / "pyproject.toml").write_text('[tool.poetry]\nname = "Big Trees"\n')
    digest = base64.urlsafe_b64encode(hashlib.sha256(os.path.realpath(project).encode()).digest()).decode()[:8]
    places = {
        "poetry": home / f".cache/pypoetry/virtualenvs/big_trees-{digest}-py3.11",
        "environment.yml": home / "miniconda3/envs/trees",
        "pixi": project / ".pixi/envs/default",
        "UV_PROJECT_ENVIRONMENT": project / "made-by-uv",
    }
    for origin, folder in places.items():  # each later one is preferred to those before
        make_environment(folder, ["torch"])
        environ = {"HOME": str(home)} | ({origin: "made-by-uv"} if origin.startswith("UV") else {})
        found = report(project, environ)
        assert found.chosen is not None
        assert (found.chosen.origin, found.chosen.folder) == (origin, folder)


def test_members_of_a_workspace_have_the_environment_of_its_root(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    member = project / "packages" / "one"
    member.mkdir(parents=True)
    (member / "train.py").write_text("import torch\n")
    make_environment(project / ".venv", ["torch"])
    assert report(member).python == str(project / ".venv/bin/python")


def test_a_python_of_path_is_taken_as_it_is_called_there(project: Path, tmp_path: Path) -> None:
    (project / "train.py").write_text("import json\n")
    trap(tmp_path / "bin" / "python3")
    trap(tmp_path / "bin" / "python")  # may be another one
    found = report(project, {"PATH": str(tmp_path / "bin")})
    assert found.python == str(tmp_path / "bin" / "python3")


def test_a_shim_of_pyenv_stands_for_the_version_that_the_project_names(project: Path, tmp_path: Path) -> None:
    (project / "train.py").write_text("import json\n")
    (project / ".python-version").write_text("3.12.1\n")
    trap(tmp_path / "pyenv" / "shims" / "python3")
    trap(tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3")
    (tmp_path / "pyenv" / "versions" / "3.12.1" / "lib" / "python3.12").mkdir(parents=True)
    found = report(project, {"PATH": str(tmp_path / "pyenv" / "shims")})
    assert found.chosen is not None
    assert (found.python, found.chosen.version) == (str(tmp_path / "pyenv/versions/3.12.1/bin/python3"), "3.12")


def test_an_interpreter_that_is_asked_for_is_taken_or_told_missing(project: Path, tmp_path: Path) -> None:
    make_environment(project / ".venv", ["torch"])
    other = make_environment(tmp_path / "other", ["torch"])
    assert report(project, asked=f"{other}/bin/python").python == f"{other}/bin/python"
    missing = report(project, asked="no/such/python")
    assert missing.python == ""
    assert missing.faults[0].startswith("no/such/python is not there")


def test_nothing_of_a_project_is_started(project: Path, tmp_path: Path) -> None:
    folder = make_environment(project / ".venv", ["torch"])
    site = next(folder.glob("lib/*/site-packages"))
    mark = tmp_path / "ran"
    code = f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n"
    (site / "evil.pth").write_text(code)
    for name in ("sitecustomize.py", "usercustomize.py"):
        (site / name).write_text(code)
    for name in ("setup.py", "conftest.py", "train.py", "Makefile", ".envrc"):
        (project / name).write_text(code)
    assert report(project).chosen is not None
    assert not mark.exists()
    assert not list(project.rglob("was-started"))


def test_nothing_in_a_project_is_changed(project: Path) -> None:
    make_environment(project / ".venv", ["numpy"])
    before = {path: path.lstat().st_mtime_ns for path in project.rglob("*")}
    assert report(project).faults
    assert {path: path.lstat().st_mtime_ns for path in project.rglob("*")} == before
