"""What a source may hold and which words it may use: config/latex.yaml and config/claim_words.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig
from flagstone.paper.linting.shape import Slot, slots_of
from flagstone.paper.linting.wording import Wording

LATEX, WORDS = "latex", "claim_words"


@dataclass(frozen=True)
class EnvironmentRule:
    """What follows `\\begin{…}`, and what the environment holds: text, math, or a table."""

    slots: tuple[Slot, ...]
    holds: str


@dataclass(frozen=True, eq=False)
class LintRules:
    """The macros with what follows them, the sign that a macro prints, the environments, and the words to watch."""

    macros: Mapping[str, tuple[Slot, ...]]
    signs: Mapping[str, str]
    environments: Mapping[str, EnvironmentRule]
    wording: Wording


def lint_rules_of_run(opened: RunConfig) -> LintRules:
    """The rules that a run has pinned, with what a person allowed in it; an older run has those of the project."""
    run = opened.run
    if (run.pinned / f"{LATEX}.yaml").is_file():
        return lint_rules(run.pinned, run.pinned / "schemas", macros_of(opened))
    return lint_rules_of_project(opened)


def lint_rules_of_project(opened: RunConfig) -> LintRules:
    """The rules of this version, whatever the run has pinned, with what a person allowed in the run."""
    return lint_rules(opened.project.config, opened.project.schemas, macros_of(opened))


def macros_of(opened: RunConfig) -> Mapping[str, str]:
    """What a person allows in a run besides the macros of config/latex.yaml, with what follows each."""
    macros: Mapping[str, str] = opened.settings.merged.get("paper", {}).get("macros", {})
    return macros


def lint_rules(config: Path, schema_folder: Path, added: Mapping[str, str] | None = None) -> LintRules:
    """The rules of a folder of configuration, with the macros that a person added: name and what follows it."""
    latex, words = (read_checked(config / f"{name}.yaml", name, schema_folder) for name in (LATEX, WORDS))
    signs = {name: sign for sign, names in latex["signs"].items() for name in names.split()}
    signs |= {" ": " ", "\n": " "}  # a backslash before a space or the end of a line
    accents = dict.fromkeys(latex["accents"].split(), slots_of("{text}"))
    macros = {name: slots_of(shape) for name, shape in {**latex["macros"], **dict(added or {})}.items()}
    environments = {
        name: EnvironmentRule(slots_of(row.get("takes", "")), row.get("is", "text"))
        for name, row in latex["environments"].items()
    }
    return LintRules({**dict.fromkeys(signs, ()), **accents, **macros}, signs, environments, Wording(words))


def read_checked(path: Path, name: str, schema_folder: Path) -> dict[str, Any]:
    value = schemas.read_yaml(path)
    if not isinstance(value, dict):
        raise FlagstoneError(f"{path} should hold keys and values", hint="restore it: flagstone repin")
    schemas.check(schema_folder, name, value, str(path))
    return value
