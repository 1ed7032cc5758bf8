"""Flagstone without a checkout: a wheel in an environment of its own, and the folder that `flagstone init` makes."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import click
import pytest

CHECKOUT = Path(__file__).parents[2]
TRAIN = "import os\nLR = 0.5\nprint('val_loss:', LR)\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that Flagstone is installed in as a wheel, with the dependencies of ours."""
    top = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(top)]
    subprocess.run([*pip, *build, str(CHECKOUT)], check=True)
    venv.create(top / "env", with_pip=False)
    own = {"base": str(top / "env"), "platbase": str(top / "env")}
    Path(sysconfig.get_path("purelib", vars=own), "dependencies.pth").write_text(f"{Path(click.__file__).parents[1]}\n")
    wheel = next(top.glob("*.whl"))
    python = str(top / "env" / "bin" / "python")
    install = ["install", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    subprocess.run([*pip, "--python", python, *install], check=True)
    found = subprocess.check_output([python, "-c", "import flagstone; print(flagstone.__file__)"], text=True, cwd=top)
    assert found.startswith(str(top)), "the checkout is what is imported"
    return top / "env" / "bin"


def call(programs: Path, folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [programs / "flagstone", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_plugin_for_claude_code_comes_with_it(programs: Path, tmp_path: Path) -> None:
    plugin = Path(call(programs, tmp_path, "plugin", "path").strip())
    assert files_of(plugin) == files_of(CHECKOUT / "plugin")
    assert os.access(plugin / "bin" / "flagstone", os.X_OK)
    assert (plugin.parent / ".claude-plugin" / "marketplace.json").is_file()


def test_a_folder_for_runs_is_made_and_a_run_stops_at_its_first_gate(programs: Path, tmp_path: Path) -> None:
    said = call(programs, tmp_path, "init", "research")
    assert 'next: cd research && flagstone new NAME --goal "…"' in said
    project = tmp_path / "research"
    assert (project / "flagstone-version").read_text() == "0.1.0\n"
    for name in ("config", "prompts", "schemas", "profiles", "workflow"):
        assert files_of(project / name) == files_of(CHECKOUT / name), f"{name} is not what the checkout has"
    call(programs, project, "new", "toy", "--agent", "demo", "--goal", "Which trick helps?")
    assert "01" in call(programs, project, "run", "toy", "--cores", "1")
    assert (project / "runs" / "toy" / "stages" / "01_literature_survey.md").is_file()
    assert not (project / "runs" / "toy" / "stages" / "02_hypothesis_generation.md").exists()


def files_of(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_an_experiment_works_in_a_project_without_a_checkout(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    words = ("--metric", "val_loss", "--mutable", "train.py", "--proposer", "none", "--", "python3", "train.py")
    call(programs, tmp_path, "experiment", "new", "one", *words)
    assert "val_loss 0.5" in call(programs, tmp_path, "experiment", "step", "one")


def test_a_folder_with_files_of_its_own_is_refused_and_left_as_it_is(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mine.yaml").write_text("a: 1\n")
    assert "files of its own in config/" in call(programs, tmp_path, "init", ".", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    call(programs, tmp_path, "init", "other")
    assert "has a Snakefile already" in call(programs, tmp_path, "init", "other", code=2)


def test_a_call_that_was_cut_off_is_finished_by_the_next(programs: Path, tmp_path: Path) -> None:
    call(programs, tmp_path, "init", "one")
    (tmp_path / "one" / "Snakefile").unlink()
    (tmp_path / "one" / "config" / "venues.yaml").unlink()
    call(programs, tmp_path, "init", "one")
    assert files_of(tmp_path / "one" / "config") == files_of(CHECKOUT / "config")


def test_outside_of_a_project_a_run_names_what_makes_one(programs: Path, tmp_path: Path) -> None:
    assert "flagstone init DIR" in call(programs, tmp_path, "status", code=2)
