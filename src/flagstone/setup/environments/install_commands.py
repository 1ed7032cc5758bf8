"""The command with which a project itself installs what it needs."""

from __future__ import annotations

import re

from flagstone.setup.environments.candidates import FOLDERS
from flagstone.setup.environments.project_settings import CONDA_FILES, ProjectSettings, workspace_roots

EXTRAS = re.compile(r"^(cpu|gpu|cuda|cu\d+|rocm|torch-(cpu|gpu|cu\d+))$")
Commands = tuple[tuple[str, ...], ...]


def install_commands(project: ProjectSettings, has_gpu: bool = False) -> Commands:
    """The project's own commands, by its lock file or settings. Empty if it says nothing."""
    if project.has("uv.lock") or project.value("tool", "uv") is not None or workspace_roots(project.root):
        return (("uv", "sync", *extra_words(project, has_gpu)),)
    if project.is_poetry:
        return (("poetry", "install"),)
    if project.has("pdm.lock"):
        return (("pdm", "install"),)
    if project.has("pixi.toml") or project.value("tool", "pixi") is not None:
        return (("pixi", "install"),)
    if file := next((name for name in CONDA_FILES if project.has(name)), ""):
        return (("conda", "env", "update", "-f", file),)
    return (("pipenv", "sync"),) if project.has("Pipfile") else pip_commands(project)


def pip_commands(project: ProjectSettings) -> Commands:
    """A new environment and what goes into it; nothing is made anew where one is."""
    files = sorted(path.name for path in project.root.glob("requirements*.txt"))
    is_package = project.has("pyproject.toml", "setup.py", "setup.cfg")
    wanted = ("-r", min(files, key=len)) if files else ("-e", ".") if is_package else ()
    if not wanted:
        return ()
    existing = next((name for name in FOLDERS if project.has(f"{name}/pyvenv.cfg")), "")
    make = () if existing else (("python3", "-m", "venv", ".venv"),)
    return (*make, (f"{existing or '.venv'}/bin/pip", "install", *wanted))


def extra_words(project: ProjectSettings, has_gpu: bool) -> tuple[str, ...]:
    """The extra for this machine, if the extras stand for kinds of machines."""
    extras = project.value("project", "optional-dependencies")
    machines = sorted(name for name in extras if EXTRAS.match(name)) if isinstance(extras, dict) else []
    fitting = [name for name in machines if (name.endswith("cpu")) != has_gpu]
    return ("--extra", (fitting or machines)[0]) if machines else ()
