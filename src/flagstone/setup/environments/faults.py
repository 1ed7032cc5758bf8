"""What keeps a project from being run in its environment, one line each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from flagstone.processes import gpu_cuda_version
from flagstone.setup.environments.candidates import ASKED
from flagstone.setup.environments.install_commands import Commands
from flagstone.setup.environments.installed import normal_name, read_small
from flagstone.setup.environments.needed import COMMAND, distribution_of
from flagstone.setup.environments.project_settings import ProjectSettings
from flagstone.setup.environments.python_environment import PythonEnvironment

UNKNOWN_INSTALL = "make an environment, and install what the project needs"
CUDA = re.compile(r"^cuda\b[^=\n]*=\s*['\"](\d+)\.", re.MULTILINE)


def environment_faults(
    project: ProjectSettings, chosen: PythonEnvironment | None, missing: Mapping[str, str], install: Commands
) -> tuple[str, ...]:
    """All that is wrong, each with its cure. Empty if the project can be run."""
    command = " && ".join(shlex.join(words) for words in install) or UNKNOWN_INSTALL
    if chosen is None:
        return (f"no Python environment of this project was found: {command}",)
    if chosen.fault:
        return (f"{chosen.fault}: make the environment anew ({command})",)
    return tuple(faults_in(project, chosen, missing, command))


def faults_in(
    project: ProjectSettings, chosen: PythonEnvironment, missing: Mapping[str, str], command: str
) -> Iterator[str]:
    wanted = required_python(project)
    if wanted and chosen.version and not fits(chosen.version, wanted):
        yield f"{chosen.python} is Python {chosen.version}, the project requires {wanted}: make it with one that fits"
    if missing:
        names = ", ".join(distribution_of(name) for name in missing)
        place = next(iter(missing.values()))
        why = "the command needs it" if place == COMMAND else f"imported in {place}"
        yield f"{names} not installed in {chosen.python} ({why}): {command}"
    if fault := cuda_fault(chosen):
        yield fault
    # who asks for the interpreter of another work tree knows that: the sources of a run come first on its PYTHONPATH
    if chosen.origin != ASKED and (fault := editable_fault(project, chosen)):
        yield fault


def required_python(project: ProjectSettings) -> str:
    """What pyproject.toml says. Returns '' if it says nothing."""
    found = project.value("project", "requires-python") or project.value("tool", "poetry", "dependencies", "python")
    return found if isinstance(found, str) else ""


def fits(version: str, wanted: str) -> bool:
    """Whether a version is within a specifier such as `>=3.10,<3.13`. One that cannot be understood fits all."""
    wanted = re.sub(r"\^(\d+)([\d.]*)", lambda found: f">={found[0][1:]},<{int(found[1]) + 1}", wanted)
    try:
        return SpecifierSet(wanted).contains(version if version.count(".") > 1 else f"{version}.99", prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def cuda_fault(chosen: PythonEnvironment) -> str:
    """Whether torch was built for a newer CUDA than the driver knows. Returns '' if not, or if nobody can tell."""
    driver = gpu_cuda_version()
    if driver is None:
        return ""
    known = f"{driver[0]}.{driver[1]}"
    for site in chosen.packages.sites:
        with suppress(OSError, ValueError):
            # a newer minor version works with the driver of the same major one
            if (found := CUDA.search(read_small(site / "torch" / "version.py"))) and int(found[1]) > driver[0]:
                return f"torch is built for CUDA {found[1]}, the driver knows {known}: install a torch for CUDA {known}"
    return ""


def editable_fault(project: ProjectSettings, chosen: PythonEnvironment) -> str:
    """Whether this project's own package is installed from another checkout. Returns '' if not."""
    source = chosen.packages.editable.get(normal_name(project.name)) if project.name else None
    if source is None or source.resolve().is_relative_to(project.root.resolve()):
        return ""
    return f"{project.name} is installed from another checkout, {source}: install it from here (pip install -e .)"
