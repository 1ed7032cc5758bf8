"""What a program needs is what its files import when they are loaded, and is named with the command that installs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_environments import make_environment, report

from flagstone.setup.environments import report_environment
from flagstone.setup.programs import Program
from flagstone.setup.project_tree import project_tree


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


CODE = """
import os, numpy as np
from torch.nn import functional
from . import relative
from model import Net
import pkg.inner
if TYPE_CHECKING:
    import only_types
try:
    import flash_attn
except ImportError:
    flash_attn = None
def later():
    import wandb
class Holder:
    import sklearn
if __name__ == "__main__":
    import yaml
if os.environ.get("FANCY"):
    import fancy
"""


def test_needed_is_what_is_imported_at_once_from_others(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": CODE, "model.py": "import einops", "src/pkg/inner.py": ""})
    found = report_environment(
        project_tree(tmp_path), Program(entry="train.py", runner="torchrun", imports=("model.py",)), {"PATH": ""}
    )
    assert dict(found.needed) == {
        "torch": "the command",
        "numpy": "train.py:2",
        "sklearn": "train.py:16",
        "yaml": "train.py:18",
        "einops": "model.py:1",
    }


def test_torch_is_not_needed_by_a_project_without_it(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "import sklearn"})
    make_environment(tmp_path / ".venv", ["sklearn"])
    assert report(tmp_path).faults == ()


LOCKED = {
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "pdm.lock": "pdm install",
    "pixi.toml": "pixi install",
    "environment.yml": "conda env update -f environment.yml",
    "Pipfile": "pipenv sync",
    "requirements.txt": ".venv/bin/pip install -r requirements.txt",
    "setup.py": ".venv/bin/pip install -e .",
}


@pytest.mark.parametrize("file", LOCKED)
def test_what_is_missing_is_named_with_the_projects_own_command(tmp_path: Path, file: str) -> None:
    write(tmp_path, {"train.py": "import sklearn\nimport torch", file: ""})
    make_environment(tmp_path / ".venv", ["torch"])
    (fault,) = report(tmp_path).faults
    assert fault == f"scikit-learn not installed in .venv/bin/python (imported in train.py:1): {LOCKED[file]}"


def test_without_an_environment_pip_gets_a_new_one(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "import torch", "requirements.txt": ""})
    assert report(tmp_path).install == (
        ("python3", "-m", "venv", ".venv"),
        (".venv/bin/pip", "install", "-r", "requirements.txt"),
    )


def test_the_extra_for_this_machine_is_chosen(tmp_path: Path) -> None:
    extras = '[project]\nname = "p"\n[project.optional-dependencies]\ncpu = []\ngpu = []\ndev = []\n'
    write(tmp_path, {"train.py": "import torch", "uv.lock": "", "pyproject.toml": extras})
    assert report(tmp_path).install == (("uv", "sync", "--extra", "cpu"),)


@pytest.mark.parametrize("module", ["torch", "_C.cpython-311-x86_64-linux-gnu.so", "single.py"])
def test_packages_modules_and_compiled_modules_are_seen(tmp_path: Path, module: str) -> None:
    name = module.partition(".")[0]
    write(tmp_path, {"train.py": f"import {name}"})
    environment = make_environment(tmp_path / ".venv", [name] if name == module else [])
    if name != module:
        (next(environment.glob("lib/*/site-packages")) / module).write_text("")
    assert report(tmp_path).missing == {}


def test_folders_of_pth_files_and_editable_installs_are_seen(tmp_path: Path) -> None:
    write(tmp_path, {"project/train.py": "import linked", "elsewhere/linked/__init__.py": ""})
    environment = make_environment(tmp_path / "project/.venv")
    assert report(tmp_path / "project").missing == {"linked": "train.py:1"}
    (next(environment.glob("lib/*/site-packages")) / "x.pth").write_text(f"import os\n# no\n{tmp_path}/elsewhere\n")
    assert report(tmp_path / "project").missing == {}


def test_what_the_system_has_counts_only_if_the_environment_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"project/train.py": "import torch"})
    make_environment(tmp_path / "system", ["torch"])
    environment = make_environment(tmp_path / "project/.venv", home=tmp_path / "system/bin")
    assert report(tmp_path / "project").missing
    settings = environment / "pyvenv.cfg"
    settings.write_text(settings.read_text() + "include-system-site-packages = true\n")
    assert report(tmp_path / "project").missing == {}


def test_a_login_at_wandb_is_a_warning_at_most(tmp_path: Path) -> None:
    write(tmp_path, {"project/train.py": "import wandb", "home/.netrc": "machine api.wandb.ai login x password y"})
    make_environment(tmp_path / "project/.venv", ["wandb"])
    project = tmp_path / "project"
    assert report(project, {"HOME": str(tmp_path)}).facts.warnings == (
        "wandb is not logged in: runs are recorded offline",
    )
    assert report(project, {"HOME": str(tmp_path / "home")}).facts.warnings == ()
    assert report(project, {"HOME": str(tmp_path), "WANDB_API_KEY": "x"}).facts.warnings == ()
    assert report(project).faults == ()


def test_too_little_room_for_three_checkpoints_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"train.py": "", "old.pt": ""})
    os.truncate(tmp_path / "old.pt", 4_000_000_000)  # sparse
    for free_mb, warnings in ((13_000, ()), (11_000, ("11000 MB are free, and 3 checkpoints take 12000 MB",))):
        usage = SimpleNamespace(free=free_mb * 1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda path, usage=usage: usage)
        assert report(tmp_path).facts.warnings == warnings
