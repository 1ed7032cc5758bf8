"""Which environments a project may be run in, in the order in which they are preferred."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.setup.environments.installed import read_small
from flagstone.setup.environments.python_environment import PythonEnvironment, environment_at

FOLDERS = (".venv", "venv", "env")
ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
CONDA_FILES = ("environment.yml", "environment.yaml")
CONDA_NAME = re.compile(r"^name[ \t]*:[ \t]*['\"]?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True)
class ProjectSurroundings:
    """Where a project lies, the variables around it, and the environment that Flagstone itself runs in."""

    root: Path
    environ: Mapping[str, str]
    own: Path
    asked: str = ""  # what --python names

    @property
    def home(self) -> Path:
        return Path(self.environ.get("HOME") or "/")


def candidates(around: ProjectSurroundings) -> list[PythonEnvironment]:
    """Every environment that is there, each once, the preferred ones first. `--python` leaves no other."""
    found: dict[Path, PythonEnvironment] = {}
    for folder, origin in places(around):
        environment = environment_at(folder, origin, around.root, around.own)
        if environment is not None:
            found.setdefault(Path(os.path.realpath(folder)), environment)
    return list(found.values())


def places(around: ProjectSurroundings) -> Iterator[tuple[Path, str]]:
    if around.asked:
        yield environment_folder(around.root / around.asked), "--python"
        return
    for name in ACTIVE:
        if value := around.environ.get(name):
            yield Path(value), name
    if value := around.environ.get("UV_PROJECT_ENVIRONMENT"):
        yield around.root / value, "UV_PROJECT_ENVIRONMENT"
    for above in (around.root, *workspace_roots(around.root)):
        for name in FOLDERS:
            if (above / name / "pyvenv.cfg").is_file() or (above / name).is_symlink():
                yield above / name, name
    yield around.root / ".pixi/envs/default", "pixi"
    yield from ((folder, "environment.yml") for folder in conda_folders(around))
    with suppress(OSError, ValueError):
        yield environment_folder(Path(read_small(around.root / ".pdm-python").strip())), "pdm"
    yield from ((folder, "poetry") for folder in poetry_folders(around))
    if found := shutil.which("python3", path=path_without(around)):
        is_shim = Path(found).parent.name == "shims"
        yield pyenv_folder(around, Path(found)) if is_shim else environment_folder(Path(found)), "PATH"


def environment_folder(python: Path) -> Path:
    """The folder of an environment, from its interpreter: a link in the environment itself is not followed."""
    above = Path(os.path.abspath(python)).parent.parent
    is_environment = (above / "pyvenv.cfg").exists() or (above / "conda-meta").exists()
    return above if is_environment or not python.exists() else python.resolve().parent.parent


def pyenv_folder(around: ProjectSurroundings, shim: Path) -> Path:
    """The Python that a shim of pyenv starts here: a variable, a file of the project, or pyenv's own default."""
    base, told = shim.parent.parent, around.environ.get("PYENV_VERSION", "")
    for path in (*(above / ".python-version" for above in (around.root, *around.root.parents)), base / "version"):
        with suppress(OSError, ValueError):
            told = told or read_small(path).strip()
    return base / "versions" / (told.split() or ["system"])[0]


def path_without(around: ProjectSurroundings) -> str:
    """PATH without Flagstone's own folder of programs."""
    words = around.environ.get("PATH", "").split(os.pathsep)
    own = os.path.realpath(around.own / "bin")
    return os.pathsep.join(word for word in words if word and os.path.realpath(word) != own)


def project_settings(root: Path) -> dict[str, Any]:
    """pyproject.toml. Empty if it is missing, or cannot be read."""
    try:
        return tomllib.loads(read_small(root / "pyproject.toml"))
    except (OSError, ValueError, RecursionError):
        return {}


def setting(settings: Mapping[str, Any], *keys: str) -> Any:
    """A value below several keys. Returns None if it is not there."""
    value: Any = settings
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def workspace_roots(root: Path) -> list[Path]:
    """The folders above that are the root of a uv workspace: their environment is that of the members."""
    above = list(root.parents)[:4]
    return [each for each in above if setting(project_settings(each), "tool", "uv", "workspace") is not None]


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
    name = setting(project_settings(around.root), "tool", "poetry", "name")
    name = name or (setting(project_settings(around.root), "project", "name") if is_poetry(around.root) else None)
    if not isinstance(name, str):
        return []
    short = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    digest = hashlib.sha256(os.path.realpath(around.root).encode()).digest()
    base = around.environ.get("POETRY_VIRTUALENVS_PATH")
    cache = around.environ.get("POETRY_CACHE_DIR") or around.home / ".cache/pypoetry"
    folder = Path(base) if base else Path(cache, "virtualenvs")
    marked = f"{short}-{base64.urlsafe_b64encode(digest).decode()[:8]}"
    return (
        sorted((each for each in folder.iterdir() if each.name.startswith(f"{marked}-py")), reverse=True)
        if (folder.is_dir())
        else []
    )


def is_poetry(root: Path) -> bool:
    return (root / "poetry.lock").exists() or setting(project_settings(root), "tool", "poetry") is not None
