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


def run_lint_rules(opened: RunConfig) -> LintRules:
    """The rules that a run has pinned, with what a person allowed in it; an older run has those of the project."""
    run, project = opened.run, opened.project
    added = opened.settings.merged.get("paper", {}).get("macros", {})
    if (run.pinned / f"{LATEX}.yaml").is_file():
        return lint_rules(run.pinned, run.pinned / "schemas", added)
    return lint_rules(project.config, project.schemas, added)


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
