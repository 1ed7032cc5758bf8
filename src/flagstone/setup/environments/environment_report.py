"""Which Python a project is run with, what it lacks, what is broken, and what could be done."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.setup.environments.candidates import ProjectSurroundings, candidates
from flagstone.setup.environments.cures import EnvironmentCure, environment_cures
from flagstone.setup.environments.faults import environment_faults
from flagstone.setup.environments.install_commands import Commands, install_commands
from flagstone.setup.environments.needed import distribution_of, needed_modules
from flagstone.setup.environments.project_settings import ProjectSettings
from flagstone.setup.environments.python_environment import PythonEnvironment
from flagstone.setup.environments.soft_facts import SoftFacts, soft_facts
from flagstone.setup.programs import Program
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.text import one_line

SETTINGS = "pyproject.toml"
WORKS_WITH = "has what the entry imports"


@dataclass(frozen=True)
class EnvironmentReport:
    """`chosen` is None if there is no environment at all. `missing` are modules with where they are imported.

    `faults` are what stops a run, one line each; `cures` what could be done about them.
    """

    chosen: PythonEnvironment | None
    others: tuple[PythonEnvironment, ...]
    needed: Mapping[str, str]
    missing: Mapping[str, str]
    install: Commands
    faults: tuple[str, ...]
    cures: tuple[EnvironmentCure, ...]
    facts: SoftFacts

    @property
    def python(self) -> str:
        """The interpreter as it is written into a command. Returns '' if there is none that works."""
        return self.chosen.python if self.chosen and not self.chosen.fault else ""

    @property
    def finding(self) -> ProjectFinding:
        """What is shown and asked about the environment."""
        value: dict[str, Any] = {"python": self.python or None, "cures": [cure.kind for cure in self.cures]}
        value |= {"missing": [distribution_of(name) for name in self.missing]} if self.missing else {}
        lost = tuple(LostCandidate(each.python, lost_because(each, self.needed)) for each in self.others)
        where = (self.chosen.origin,) if self.chosen else ()
        return ProjectFinding("environment", value, self.certainty, where, lost, self.note)

    @property
    def certainty(self) -> Certainty:
        if not self.python or self.chosen is None or self.chosen.is_own or self.faults:
            return "unclear" if self.chosen else "none"
        rivals = [each for each in self.others if lost_because(each, self.needed) == WORKS_WITH and not each.is_own]
        return "likely" if rivals else "certain"

    @property
    def note(self) -> str:
        if self.faults:
            return self.faults[0]
        return "Flagstone itself runs in it." if self.chosen and self.chosen.is_own else ""


def report_environment(
    tree: ProjectTree, program: Program, environ: Mapping[str, str], asked: str = ""
) -> EnvironmentReport:
    """Looks at files alone. The first environment that has what the program imports is chosen, never our own first."""
    project = ProjectSettings(tree.root, tree.toml(SETTINGS) if SETTINGS in tree else {})
    around = ProjectSurroundings(project, environ, Path(sys.prefix), asked)
    needed = needed_modules(tree, program)
    found = sorted(candidates(around), key=lambda each: order(each, needed))
    chosen = found[0] if found else None
    missing = missing_modules(chosen, needed)
    facts = soft_facts(tree, around, chosen, needed)
    install = install_commands(project, bool(facts.gpus))
    faults = tuple(map(one_line, environment_faults(project, chosen, missing, install)))
    is_open = bool(faults) or (chosen is not None and chosen.is_own and not asked)
    cures = environment_cures(tree.root, install, around.own) if is_open else ()
    return EnvironmentReport(chosen, tuple(found[1:]), needed, missing, install, faults, cures, facts)


def order(environment: PythonEnvironment, needed: Mapping[str, str]) -> tuple[bool, ...]:
    """What comes first; the order of places decides between equals."""
    lacks = bool(missing_modules(environment, needed))
    # an interpreter of PATH or an active environment without the packages is not this project's
    is_foreign = environment.origin in ("PATH", "VIRTUAL_ENV", "CONDA_PREFIX") and lacks
    return is_foreign, environment.is_own, bool(environment.fault), lacks


def missing_modules(environment: PythonEnvironment | None, needed: Mapping[str, str]) -> dict[str, str]:
    if environment is None or environment.fault:
        return {}
    return {name: place for name, place in needed.items() if not environment.packages.has(name)}


def lost_because(environment: PythonEnvironment, needed: Mapping[str, str]) -> str:
    if environment.fault:
        return environment.fault
    if environment.is_own:
        return "Flagstone itself runs in it"
    missing = missing_modules(environment, needed)
    return f"lacks {', '.join(list(missing)[:3])}" if missing else WORKS_WITH
