"""Which environments a project may be run in, in the order in which they are preferred."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.setup.environments.installed import read_small
from flagstone.setup.environments.project_settings import CONDA_FILES, ProjectSettings, workspace_roots
from flagstone.setup.environments.python_environment import PythonEnvironment, environment_at
from flagstone.setup.project_tree import is_environment

FOLDERS = (".venv", "venv", "env")
ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
ASKED = "--python"
CONDA_NAME = re.compile(r"^name[ \t]*:[ \t]*['\"]?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True)
class ProjectSurroundings:
    """A project, the variables around it, and the environment that Flagstone itself runs in."""

    project: ProjectSettings
    environ: Mapping[str, str]
    own: Path
    asked: str = ""  # what --python names

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def home(self) -> Path:
        return Path(self.environ.get("HOME") or "/")


@dataclass(frozen=True)
class EnvironmentPlace:
    """A folder that may be an environment, who names it, and the interpreter if that is named itself."""

    folder: Path
    origin: str
    python: Path | None = None


def candidates(around: ProjectSurroundings) -> list[PythonEnvironment]:
    """Every environment that is there, each once, the preferred ones first. `--python` leaves no other."""
    if around.asked:
        return [asked_environment(around)]
    found: dict[Path, PythonEnvironment] = {}
    for place in places(around):
        environment = environment_at(place.folder, place.origin, around.root, around.own, place.python)
        if environment is not None:
            found.setdefault(Path(os.path.realpath(place.folder)), environment)
    return list(found.values())


def asked_environment(around: ProjectSurroundings) -> PythonEnvironment:
    """The one of `--python`, a path or a name on PATH. It is returned with its fault if it is not there."""
    named = shutil.which(around.asked, path=around.environ.get("PATH")) if os.sep not in around.asked else None
    python = Path(named or around.root / around.asked)
    found = environment_at(environment_folder(python), ASKED, around.root, around.own, python)
    fault = f"{around.asked} is not there"
    return found or PythonEnvironment(around.asked, python.parent.parent, ASKED, fault=fault)


def places(around: ProjectSurroundings) -> Iterator[EnvironmentPlace]:
    for name in (*ACTIVE, "UV_PROJECT_ENVIRONMENT"):
        if value := around.environ.get(name):
            yield EnvironmentPlace(around.root / value, name)
    for above in (around.root, *workspace_roots(around.root)):
        for folder in (above / name for name in FOLDERS):
            if folder.is_symlink() or is_environment(folder):
                yield EnvironmentPlace(folder, folder.name)
    yield EnvironmentPlace(around.root / ".pixi/envs/default", "pixi")
    yield from (EnvironmentPlace(folder, "environment.yml") for folder in conda_folders(around))
    with suppress(OSError, ValueError):
        yield EnvironmentPlace(environment_folder(Path(read_small(around.root / ".pdm-python").strip())), "pdm")
    yield from (EnvironmentPlace(folder, "poetry") for folder in poetry_folders(around))
    if found := shutil.which("python3", path=path_without(around)):
        python = Path(found)
        python = pyenv_python(around, python) if python.parent.name == "shims" else python
        yield EnvironmentPlace(environment_folder(python), "PATH", python)


def environment_folder(python: Path) -> Path:
    """The folder of an environment, from its interpreter: a link in the environment itself is not followed."""
    above = Path(os.path.abspath(python)).parent.parent
    return above if is_environment(above) or not python.exists() else python.resolve().parent.parent


def pyenv_python(around: ProjectSurroundings, shim: Path) -> Path:
    """The Python that a shim of pyenv starts here: a variable, a file of the project, or pyenv's own default."""
    base, told = shim.parent.parent, around.environ.get("PYENV_VERSION", "")
    for path in (*(above / ".python-version" for above in (around.root, *around.root.parents)), base / "version"):
        with suppress(OSError, ValueError):
            told = told or read_small(path).strip()
    return base / "versions" / (told.split() or ["system"])[0] / "bin" / "python3"


def path_without(around: ProjectSurroundings) -> str:
    """PATH without Flagstone's own folder of programs."""
    words = around.environ.get("PATH", "").split(os.pathsep)
    own = os.path.realpath(around.own / "bin")
    return os.pathsep.join(word for word in words if word and os.path.realpath(word) != own)


def conda_folders(around: ProjectSurroundings) -> Iterator[Path]:
    """Where conda may keep the environment that the project's file names."""
    for file in CONDA_FILES:
        with suppress(OSError, ValueError):
            if named := CONDA_NAME.search(read_small(around.root / file)):
                yield from (base / named[1] for base in conda_bases(around))


def conda_bases(around: ProjectSurroundings) -> list[Path]:
    program = around.environ.get("CONDA_EXE")
    roots = [Path(program).parent.parent] if program else []
    roots += [Path(value) for name in ("MAMBA_ROOT_PREFIX", "CONDA_ROOT") if (value := around.environ.get(name))]
    roots += [around.home / name for name in ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")]
    return [*(root / "envs" for root in roots), around.home / ".conda/envs"]


def poetry_folders(around: ProjectSurroundings) -> list[Path]:
    """Where Poetry keeps the environments of this project, by its own rule for names; Poetry is not started."""
    name = around.project.name if around.project.is_poetry else ""
    if not name:
        return []
    short = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    digest = hashlib.sha256(os.path.realpath(around.root).encode()).digest()
    base = around.environ.get("POETRY_VIRTUALENVS_PATH")
    cache = around.environ.get("POETRY_CACHE_DIR") or around.home / ".cache/pypoetry"
    folder = Path(base) if base else Path(cache, "virtualenvs")
    start = f"{short}-{base64.urlsafe_b64encode(digest).decode()[:8]}-py"
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((each for each in found if each.name.startswith(start)), reverse=True)
