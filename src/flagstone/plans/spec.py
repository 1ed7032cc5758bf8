"""What an experiment is set to: experiment.yaml, checked once and then read as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.metrics import faults
from flagstone.plans.constraint import Constraint, constraint_of
from flagstone.records import digest_bytes, digest_value, read_record, write_record
from flagstone.settings import PERSONS_OPTIONS, sandbox_of, sandbox_word

Direction = Literal["min", "max"]
METRIC_OWN = ("name", "direction", "backend", "auxiliary")
MEASURED = ("wall_s", "wall_seconds", "peak_rss_mb", "peak_vram_mb")
DECISIVE = ("subject", "harness", "metric", "evaluate", "constraints", "guard", "checkpoint", "noise", "contract")


@dataclass(frozen=True)
class SubjectSpec:
    """What is edited: the project, the globs that may change, and what decides about the number."""

    kind: Literal["files", "git"]
    root: Path
    mutable: tuple[str, ...]
    protected: tuple[str, ...] | None
    scratch: tuple[str, ...]
    entry: str
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class HarnessSpec:
    """The command that runs one candidate, and what it may take."""

    argv: tuple[str, ...]
    seconds: float = 300
    silence_s: float | None = None
    memory_mb: float | None = None
    gpu_memory_mb: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    gpus: int = 0
    exclusive: bool = False
    network: bool = True
    writable: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricSpec:
    """The number that is improved, and the backend it is read with."""

    name: str
    direction: Direction
    backend: str
    auxiliary: tuple[str, ...]
    options: Mapping[str, Any]

    def is_better(self, value: float, than: float) -> bool:
        return value < than if self.direction == "min" else value > than


@dataclass(frozen=True)
class StepSpec:
    """A further command: the evaluation (with its artifact) or the guard."""

    argv: tuple[str, ...]
    seconds: float
    artifact: str = ""


@dataclass(frozen=True)
class CheckpointSpec:
    """What a run saves, whether it has to, and how many are kept besides the best."""

    glob: str
    required: bool = False
    keep_checkpoints: int = 2


@dataclass(frozen=True)
class StoppingSpec:
    """When the experiment ends. None: never for that reason."""

    threshold: float | None = None
    plateau: int | None = None
    max_runs: int | None = None
    wall_h: float | None = None
    gpu_h: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True)
class AgentSpec:
    """The agent that proposes, and what one proposal may take."""

    driver: str = ""
    model: str | None = None
    mode: Literal["edit", "work"] = "edit"
    wall_s: float = 1200
    silence_s: float = 600
    turns: int = 60
    cost_usd: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """One experiment. `noise` is None where the strict comparison was asked for."""

    name: str
    goal: str
    subject: SubjectSpec
    harness: HarnessSpec
    metric: MetricSpec
    evaluate: StepSpec | None
    guard: StepSpec | None
    constraints: tuple[Constraint, ...]
    checkpoint: CheckpointSpec | None
    noise: NoiseRule | None
    stopping: StoppingSpec
    proposer: Literal["agent", "scripted", "search", "none"]
    agent: AgentSpec
    script: str
    search: Mapping[str, Any]
    lag: int
    rebase: bool
    block: int
    seed: int
    scope: tuple[str, ...]
    resume: Mapping[str, str]
    contract: str
    parent: str
    sandbox: str
    merged: Mapping[str, Any]

    @property
    def decisive(self) -> Mapping[str, Any]:
        """The part of the spec that decides about the number; the rest may change while it runs."""
        return {name: self.merged.get(name) for name in DECISIVE}

    @property
    def digest(self) -> str:
        return digest_value(self.decisive)

    @staticmethod
    def digest_in(path: Path) -> str:
        """The same of the spec that lies there now; of what is none, words that are the digest of nothing."""
        try:
            value = schemas.read_yaml(path)
        except FlagstoneError:
            return "not readable"
        return digest_value({name: value.get(name) for name in DECISIVE}) if isinstance(value, dict) else "no spec"

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every name that is read from a run, the primary metric first; what we measure ourselves is not read."""
        names = (self.metric.name, *self.metric.auxiliary, *(each.name for each in self.constraints))
        return tuple(name for name in dict.fromkeys(names) if name not in MEASURED)


def spec_of(name: str, base: Path, value: Mapping[str, Any]) -> Spec:
    """The spec a checked mapping tells of; `base` is the folder experiments belong to (the project or the run)."""
    return Spec(
        name=name,
        goal=str(value["goal"]),
        subject=replace(subject_of(base, value["subject"]), outputs=outputs_in(value)),
        harness=HarnessSpec(**as_tuples(value["harness"])),
        metric=metric_of(value["metric"], subject_of(base, value["subject"]).root),
        evaluate=step_of(value.get("evaluate")),
        guard=step_of(value.get("guard")),
        constraints=tuple(constraint_of(text) for text in value.get("constraints", ())),
        checkpoint=CheckpointSpec(**value["checkpoint"]) if value.get("checkpoint") else None,
        noise=None if value.get("noise") in ("off", False) else NoiseRule(**value.get("noise", {})),
        stopping=StoppingSpec(**value.get("stopping", {})),
        proposer=value.get("proposer", "agent"),
        agent=AgentSpec(**value.get("agent", {})),
        script=str(value.get("script", "")),
        search=value.get("search", {}),
        lag=value.get("lag", 1),
        rebase=value.get("rebase", False),
        block=value.get("block", 1),
        seed=value.get("seed", 0),
        scope=tuple(value.get("scope", ())),
        resume=value.get("resume", {}),
        contract=str(value.get("contract", "")),
        parent=str(value.get("parent") or ""),
        sandbox=sandbox_word(value.get("sandbox", "auto")),
        merged=value,
    )


def outputs_in(value: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run is asked to leave: globs."""
    metric, saved, scored = value["metric"], value.get("checkpoint") or {}, value.get("evaluate") or {}
    globs = [metric.get("path"), metric.get("glob"), saved.get("glob"), scored.get("artifact")]
    return tuple(glob.removeprefix("./") for glob in globs if glob and not glob.startswith(("/", "~", "..")))


def subject_of(base: Path, value: Mapping[str, Any]) -> SubjectSpec:
    plain = [word for word in value["mutable"] if not set(word) & set("*?[")]
    return SubjectSpec(
        kind=value.get("kind", "files"),
        root=(base / value.get("root", ".")).resolve(),
        mutable=tuple(value["mutable"]),
        protected=tuple(value["protected"]) if "protected" in value else None,
        scratch=tuple(value.get("scratch", ())),
        entry=str(value.get("entry") or (plain[0] if plain else "")),
    )


def metric_of(value: Mapping[str, Any], root: Path) -> MetricSpec:
    options = {key: item for key, item in value.items() if key not in METRIC_OWN}
    code = options.get("code", "")
    if "\n" not in code and len(code) < 4000 and code and (root / code).is_file():
        options["code"] = str(root / code)  # the project's own: a run may write a file of this name in its folder
    return MetricSpec(
        name=value["name"],
        direction=value["direction"],
        backend=value.get("backend", "auto"),
        auxiliary=tuple(value.get("auxiliary", ())),
        options=options,
    )


def as_tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


def step_of(value: Mapping[str, Any] | None) -> StepSpec | None:
    if not value:
        return None
    return StepSpec(tuple(value["argv"]), float(value.get("seconds", 300)), str(value.get("artifact", "")))


def load_spec(path: Path, base: Path, folder: Path, *, compiled: Path | None = None) -> Spec:
    """The spec of an experiment. `folder` holds the schemas; `compiled` spares a second check of an unchanged file."""
    try:
        digest = digest_bytes(path.read_bytes())
    except OSError as error:
        raise FlagstoneError(
            f"cannot read {path}: {error.strerror}", hint="flagstone experiment new NAME starts one"
        ) from error
    known = read_record(compiled) if compiled else None
    is_known = known is not None and known.get("digest") == digest
    value = known["value"] if known is not None and is_known else schemas.read_yaml(path)
    if not is_known:
        schemas.check(folder, "experiment", value, str(path))
    spec = spec_of(path.parent.name, base, value)
    if spec.parent and not (path.parent / "origin.json").is_file():
        raise FlagstoneError(
            f"{path}: it does not begin from its parent {spec.parent}",
            hint=f"take `parent` out; to go on from a best, give: flagstone experiment chain {spec.parent} NEXT",
        )
    if is_known:
        return held_to_run(spec, base)
    if wrong := faults(spec.metric.backend, spec.metric.options):
        raise FlagstoneError(f"{path}: {'; '.join(wrong)}", hint="correct its `metric:`, and give the command again")
    if compiled:
        write_record(compiled, {"digest": digest, "value": value}, durable=False)
    return held_to_run(spec, base)


@dataclass(frozen=True)
class NoiseRule:
    """α of the whole experiment, how often the baseline is measured, and how many pairs a test may take."""

    alpha: float = 0.05
    baseline_repeats: int = 5
    max_repeats: int = 30


def held_to_run(spec: Spec, base: Path) -> Spec:
    """The spec as it may be run. Agents write plans: of the sandbox a plan may ask for more, never for less.

    In a project without a run the file is the person's own, and holds as it stands.
    """
    run = Run(base)
    if not run.settings.is_file():
        return spec
    allowed = sandbox_of(run)
    options = {name: value for name, value in spec.agent.options.items() if name not in PERSONS_OPTIONS}
    return replace(
        spec,
        sandbox="require" if "require" in (allowed, spec.sandbox) else allowed,
        harness=replace(spec.harness, writable=()),
        agent=replace(spec.agent, options=options),
    )
