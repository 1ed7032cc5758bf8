"""Which hosts the set-up of a project names: a person sees them before a campaign begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.trials.campaign import hosts_of

HOME = {"HOME": "/nonexistent"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "nano"
    (folder / "scripts").mkdir(parents=True)
    (folder / "train.py").write_text("# see https://not-for-setup.example.org\n")
    return folder


def test_a_project_without_set_up_files_names_no_host(project: Path) -> None:
    assert hosts_of(project, HOME) == {}


def test_packages_come_from_the_index_unless_another_one_is_set(project: Path) -> None:
    (project / "requirements.txt").write_text("torch\n")
    assert hosts_of(project, HOME) == {"pypi.org": "the package index", "files.pythonhosted.org": "the package index"}
    assert hosts_of(project, {**HOME, "PIP_INDEX_URL": "https://a:b@mirror.example.org/simple"}) == {
        "mirror.example.org": "PIP_INDEX_URL"
    }
    (project / "requirements.txt").write_text("torch\n--index-url https://pip.example.org/simple\n")
    assert hosts_of(project, HOME) == {"pip.example.org": "requirements.txt:2"}


def test_the_settings_of_pip_name_the_index(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\n")
    settings = tmp_path / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://inside.example.org:8443/simple\n")
    assert hosts_of(project, {"HOME": str(tmp_path)}) == {"inside.example.org:8443": str(settings)}


def test_each_host_of_a_set_up_file_is_named_with_its_first_line(project: Path) -> None:
    (project / "requirements.txt").write_text(
        "--extra-index-url https://user:secret@download.example.org/whl\n"
        "git+https://github.example.org/a/b@main\ngit+ssh://git@github.example.org/c/d\n"
        "thing @ https://files.example.org/thing.whl\n"
    )
    (project / "environment.yml").write_text("channels: [conda-forge]\n")
    (project / "scripts" / "download_data.sh").write_text("set -e\ncurl -O https://data.example.org/x.tar\n")
    (project / "SETUP.md").write_text("git clone git@other.example.org:a/b.git\n")
    found = hosts_of(project, HOME)
    assert not any("secret" in host for host in found)
    assert {host: where for host, where in found.items() if "example" in host} == {
        "other.example.org": "SETUP.md:1",
        "download.example.org": "requirements.txt:1",
        "github.example.org": "requirements.txt:2",
        "files.example.org": "requirements.txt:4",
        "data.example.org": "scripts/download_data.sh:2",
    }
    assert found["conda.anaconda.org"] == "the package index of conda"


def test_the_pages_of_a_project_are_no_hosts_of_its_set_up(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[project]\n[project.urls]\nHome = "https://home.example.org"\n[tool.x]\nfrom = "https://x.example.org"\n'
    )
    assert "home.example.org" not in hosts_of(project, HOME)
    assert hosts_of(project, HOME)["x.example.org"] == "pyproject.toml:5"
