"""What a run is set to: the defaults of the schema, then config.yaml, then run.yaml, then --config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError, suggestion
from flagstone.layout import Project, Run, project_root
from flagstone.stages import StageTable, load_table

NAME = "settings"  # of the schema, which is the one place where keys and defaults are written
PROJECT_ONLY = ("run", "runs_dir")
# keys of earlier versions: accepted, read by nothing, and named once, each with this sentence
GONE_KEYS = {"goal": "the goal of a run is the one in its brief.md"}
# how an agent is reached, not what it is asked: no reason to do a stage again
WAYS_ONLY = ("command", "retry_s", "retries", "api_timeout_s", "stall_s")
# options of an agent that open the sandbox, or hand something of the person's in: no plan of an agent's may set them
PERSONS_OPTIONS = ("command", "environment", "state", "tools")


@dataclass(frozen=True)
class Grants:
    """What the runs of experiments and trials may do at most, whatever a plan says."""

    sandbox: str
    network: bool


@dataclass(frozen=True)
class StageLimits:
    """What one attempt of a stage may take."""

    attempts: int
    wall_s: float
    silence_s: float
    turns: int
    cost_usd: float | None
    retry_s: float
    outage_s: float
    window_s: float


@dataclass(frozen=True)
class StageSettings:
    """What one stage runs with."""

    agent: str
    model: str | None
    limits: StageLimits
    options: Mapping[str, object]
    budget: Mapping[str, float | None]

    def facts(self) -> dict[str, object]:
        """The settings that can change the content, as plain values. A change of one is a reason for a rerun."""
        options = {name: value for name, value in self.options.items() if name not in WAYS_ONLY}
        return {"agent": self.agent, "model": self.model, "options": options}


@dataclass(frozen=True)
class Settings:
    """Everything a run is set to. `merged` is the validated mapping it was read from."""

    venue: str
    sandbox: str
    approval: Mapping[str, str]
    budget: Mapping[str, float | None]
    merged: Mapping[str, Any]

    @property
    def publishable(self) -> tuple[str, ...]:
        """Files that a person lets the bundle hold although they name a path or a person."""
        return tuple(self.merged.get("bundle", {}).get("allow", ()))

    def for_stage(self, nr: str) -> StageSettings:
        row = self.merged.get("stages", {}).get(nr, {})
        agent = row.get("agent", self.merged["agent"])
        return StageSettings(
            agent=agent,
            model=row.get("model", self.merged.get("model")),
            limits=StageLimits(**{**self.merged["limits"], **row.get("limits", {})}),
            options=self.merged.get("claude" if agent == "auto" else agent, {}),
            budget=row.get("budget", {}),
        )

    def for_review(self, nr: str) -> StageSettings:
        """What the reviewers of a stage run with: what the stage does, unless another agent or model is set."""
        own, asked = self.for_stage(nr), self.merged["review"]
        agent = asked.get("agent") or own.agent
        model = asked.get("model") or (own.model if agent == own.agent else None)
        options = self.merged.get("claude" if agent == "auto" else agent, {})
        return replace(own, agent=agent, model=model, options=options)

    @property
    def review_rounds(self) -> int:
        return int(self.merged["review"]["rounds"])

    def approver(self, nr: str) -> str:
        """Who approves this stage: `person`, or the name of a policy."""
        return str(self.approval.get(nr, self.approval.get("default", "person")))


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers over earlier ones, mappings key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
                merged[key] = merge(merged[key], value)
            else:
                merged[key] = value
    return merged


def find_project(*starts: Path) -> Project:
    """The project above a starting point, with runs/ where its config.yaml says."""
    root = project_root(starts)
    return Project(root, root / project_keys(root)["runs_dir"])


def project_keys(root: Path) -> Mapping[str, Any]:
    """What the project itself is set to; a config.yaml of another form is named when a run is opened."""
    value = schemas.read_yaml(root / "config" / "config.yaml")
    return merge(schemas.defaults(root / "schemas", NAME), value if isinstance(value, dict) else {})


def config_file(project: Project, run: Run) -> Path:
    return pinned_file(project, run, "config.yaml")


def table_file(project: Project, run: Run | None) -> Path:
    return pinned_file(project, run, "stages.yaml")


def pinned_file(project: Project, run: Run | None, name: str) -> Path:
    """A file of config/ as it was when the run was created; the project's own if none was pinned."""
    pinned = run.pinned / name if run else None
    return pinned if pinned and pinned.is_file() else project.config / name


def default_settings(project: Project, run: Run) -> dict[str, Any]:
    """The defaults a run was created with, and the project's for keys that came later."""
    return merge(*(schemas.defaults(folder, NAME) for folder in (project.schemas, run.pinned / "schemas")))


def load_settings(
    project: Project, run: Run, overrides: Mapping[str, Any] | None = None, *, validate: bool = True
) -> Settings:
    """What a run is set to. Without `validate` only what cannot be read at all is an error."""
    config = config_file(project, run)
    layers = [
        (read_layer(config), str(config)),
        (read_layer(run.settings), str(run.settings)),
        (dict(overrides or {}), "--config"),
    ]
    if validate:
        for value, where in layers:
            here = {key: row for key, row in value.items() if key not in GONE_KEYS}
            schemas.check(project.schemas, NAME, here, where)
    return settings_of(merge(default_settings(project, run), *(value for value, _ in layers)))


def read_layer(path: Path) -> dict[str, Any]:
    value = schemas.read_yaml(path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FlagstoneError(
            f"{path} should contain keys and values",
            hint="one per line, such as `model: opus`; every key: docs/reference/settings.md",
        )
    return value


def settings_of(merged: Mapping[str, Any]) -> Settings:
    return Settings(
        venue=str(merged["venue"]),
        sandbox=sandbox_word(merged["sandbox"]),
        approval=merged["approval"],
        budget=merged["budget"],
        merged={key: value for key, value in merged.items() if key not in PROJECT_ONLY},
    )


def sandbox_word(value: object) -> str:
    """`require`, `auto` or `off`. YAML reads `off` without quotes as false."""
    return "off" if value is False else str(value)


def grants_of(run: Run) -> Grants:
    """What a run's own files grant, for whoever has no project at hand."""
    layers = [read_layer(path) for path in (run.pinned / "config.yaml", run.settings) if path.is_file()]
    older = {"sandbox": "auto", "network": True}  # for runs of earlier versions, whose schema lacks one of them
    merged = merge(older, schemas.defaults(run.pinned / "schemas", NAME), *layers)
    return Grants(sandbox_word(merged["sandbox"]), bool(merged["network"]))


def pinned_table(project: Project, run: Run | None, *, validate: bool = True) -> StageTable:
    """The stage table a run was created with; the project's own if there is no run."""
    return load_table(table_file(project, run), project.schemas, validate=validate)


def venue_fields(folder: Path, key: str) -> dict[str, Any]:
    """The registry entry of a venue, with its key."""
    value = schemas.read_yaml(folder / "venues.yaml")
    venues = value["venues"] if isinstance(value, dict) and "venues" in value else value
    if key not in venues:
        hint = suggestion(key, venues) or f"the venues are {', '.join(venues)}"
        raise FlagstoneError(f"there is no venue {key!r}", hint=hint)
    return {"key": key, **venues[key]}
