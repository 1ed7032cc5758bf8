"""What keeps a project from being run is told in one line, with one cure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_environments import make_environment, report

from flagstone.setup.environments import faults


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text("import torch\n")
    return folder


def site_of(environment: Path) -> Path:
    return next(environment.glob("lib/*/site-packages"))


def test_no_environment(project: Path) -> None:
    (project / "uv.lock").write_text("")
    found = report(project)
    assert found.faults == ("no Python environment of this project was found: uv sync",)
    assert found.finding.confidence == "none"


def test_a_link_to_nothing(project: Path) -> None:
    (project / ".venv").symlink_to("../gone/.venv")
    (fault,) = report(project).faults
    assert fault.startswith(".venv is a link to nothing (../gone/.venv)")


def test_an_interpreter_that_is_a_link_to_nothing(project: Path) -> None:
    make_environment(project / ".venv", ["torch"])
    (project / ".venv/bin/python").unlink()
    (project / ".venv/bin/python").symlink_to("/gone/python3")
    (fault,) = report(project).faults
    assert fault.startswith(".venv/bin/python is not there (it links to /gone/python3)")


def test_the_python_that_it_was_made_from_is_gone(project: Path, tmp_path: Path) -> None:
    make_environment(project / ".venv", ["torch"], home=tmp_path / "gone")
    found = report(project)
    assert found.faults[0].startswith(f"the Python that it was made from is gone: {tmp_path}/gone")
    assert found.python == ""


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [(">=3.12", False), ("<3.11", False), (">=3.10,<3.13", True), ("~=3.11", True), ("==3.11.*", True), ("!", True)],
)
def test_a_python_outside_of_what_the_project_requires(project: Path, wanted: str, fits: bool) -> None:
    make_environment(project / ".venv", ["torch"])
    (project / "pyproject.toml").write_text(f'[project]\nname = "p"\nrequires-python = "{wanted}"\n')
    found = [fault for fault in report(project).faults if "requires" in fault]
    assert bool(found) is not fits
    assert all(f".venv/bin/python is Python 3.11.7, the project requires {wanted}" in fault for fault in found)


@pytest.mark.parametrize(("wanted", "fits"), [("^3.10", True), ("^3.12", False), ("^2.7", False)])
def test_the_caret_of_poetry(project: Path, wanted: str, fits: bool) -> None:
    make_environment(project / ".venv", ["torch"])
    (project / "pyproject.toml").write_text(
        f'[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\npython = "{wanted}"\n'
    )
    assert any("requires" in fault for fault in report(project).faults) is not fits


def test_a_version_of_two_parts_may_be_any_of_three() -> None:
    assert faults.fits("3.11", ">=3.11.4")
    assert not faults.fits("3.10", ">=3.11.4")


@pytest.mark.parametrize(("built", "driver", "fits"), [("12.8", (12, 4), True), ("13.0", (12, 4), False)])
def test_torch_for_a_newer_cuda_than_the_driver_knows(
    project: Path, monkeypatch: pytest.MonkeyPatch, built: str, driver: tuple[int, int], fits: bool
) -> None:
    make_environment(project / ".venv", ["torch"])
    (site_of(project / ".venv") / "torch/version.py").write_text(
        f"from typing import Optional\ncuda: Optional[str] = '{built}'\n"
    )
    monkeypatch.setattr(faults, "gpu_cuda_version", lambda: driver)
    assert any("CUDA" in fault for fault in report(project).faults) is not fits


def test_an_editable_install_of_another_checkout(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "my.Project"\n')
    environment = make_environment(project / ".venv", ["torch"])
    info = site_of(environment) / "my_project-0.1.dist-info"
    info.mkdir()
    told = {"url": f"file://{tmp_path}/other%20checkout", "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(told))
    (fault,) = report(project).faults
    assert fault.startswith(f"my.Project is installed from another checkout, {tmp_path}/other checkout")
    assert report(project, asked=".venv/bin/python").faults == ()  # a person has decided
    (info / "direct_url.json").write_text(json.dumps({**told, "url": f"file://{project}"}))
    assert report(project).faults == ()


@pytest.mark.parametrize(
    "rubbish", ["", "[", '{"dir_info": []}', '{"dir_info": {"editable": true}}', "null", "[" * 100_000]
)
def test_rubbish_in_an_environment_is_passed_over(project: Path, rubbish: str) -> None:
    environment = make_environment(project / ".venv", ["torch"])
    info = site_of(environment) / "p-1.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(rubbish)
    (site_of(environment) / "x.pth").write_bytes(b"\xff\xfe")
    (project / "pyproject.toml").write_text(rubbish)
    assert report(project).python == ".venv/bin/python"
