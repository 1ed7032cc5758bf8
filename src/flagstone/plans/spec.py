"""What an experiment is set to: a plan or experiment.yaml as data, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from flagstone.errors import FlagstoneError
from flagstone.plans.constraint import Constraint, constraint_of
from flagstone.plans.direction import is_time
from flagstone.plans.spec_parts import (
    AgentSpec,
    CheckpointSpec,
    Escalation,
    HarnessSpec,
    MetricSpec,
    NoiseRule,
    StepSpec,
    StoppingSpec,
    SubjectSpec,
)
from flagstone.records import digest_value, read_record
from flagstone.schemas import parse_yaml, read_yaml
from flagstone.settings import merge, sandbox_word

METRIC_OWN = ("name", "direction", "backend", "auxiliary")
MEASURED = ("wall_s", "wall_seconds", "peak_rss_mb", "peak_vram_mb")
WORD_VALUES_FILE = "flagstone-arguments.json"  # the values of words of the command line, as a file of each candidate
MOST_RUNS = 100  # of an experiment whose plan names no end
OPTIONAL = ("evaluate", "guard", "hidden", "checkpoint")
DECISIVE = ("subject", "harness", "metric", "evaluate", "constraints", "guard", "checkpoint", "noise", "contract")
# keys of later versions: the digests of older specs stay as they are
DECISIVE_IF_SET = ("hidden", "simplicity", "arguments")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One experiment. `noise` is None if the strict comparison was asked for.

    `merged` is what the file says, `defaults` what holds for every key that it leaves out.
    """

    name: str
    goal: str
    subject: SubjectSpec
    harness: HarnessSpec
    metric: MetricSpec
    evaluate: StepSpec | None = None
    guard: StepSpec | None = None
    hidden: StepSpec | None = None
    rework: int = 0
    escalation: Escalation = field(default_factory=Escalation)
    simplicity: Literal["off", "equal-and-shorter"] = "off"
    early_stop: Mapping[str, Any] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    checkpoint: CheckpointSpec | None = None
    noise: NoiseRule | None = field(default_factory=NoiseRule)
    stopping: StoppingSpec = field(default_factory=StoppingSpec)
    proposer: str = "agent"
    agent: AgentSpec = field(default_factory=AgentSpec)
    script: str = ""
    search: Mapping[str, Any] = field(default_factory=lambda: {"method": "random"})
    lag: int = 1
    rebase: bool = False
    block: int = 1
    seed: int = 0
    scope: tuple[str, ...] = ()
    resume: Mapping[str, str] = field(default_factory=dict)
    contract: str = ""
    parent: str = ""
    sandbox: str = "auto"
    merged: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def effective_values(self) -> Mapping[str, Any]:
        """Every key with the value that holds."""
        return with_defaults(self.merged, self.defaults)

    @property
    def decisive_values(self) -> Mapping[str, Any]:
        """The part of the spec that decides about the number; the rest may change while it runs."""
        return decisive_part(self.merged)

    @property
    def digest(self) -> str:
        return digest_value(self.decisive_values)

    @staticmethod
    def digest_in(path: Path) -> str:
        """The same of the spec as it is on disk now; a word that is no digest if it cannot be read."""
        try:
            value = read_yaml(path)
        except FlagstoneError:
            return "not readable"
        return digest_value(decisive_part(value)) if isinstance(value, dict) else "no spec"

    @property
    def has_agent(self) -> bool:
        """Whether an agent proposes the edits."""
        return self.proposer == "agent" or (self.proposer == "population" and not self.script)

    @property
    def has_end(self) -> bool:
        """Whether a condition is set that is reached sooner or later. A threshold may never be."""
        ends = self.stopping
        spends, computes = self.has_agent and ends.cost_usd, self.harness.gpus and ends.gpu_h
        counts = ends.max_runs or ends.max_experiments or ends.plateau or ends.on_halt
        return bool(counts or ends.wall_h or computes or spends)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric that is read from a run, the primary one first. What we measure ourselves is not among them."""
        names = (self.metric.name, *self.metric.auxiliary, *(each.name for each in self.constraints))
        return tuple(name for name in dict.fromkeys(names) if name not in MEASURED)


def decisive_part(value: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an experiment.yaml that decides about the number."""
    found = {name: value.get(name) for name in DECISIVE}
    found |= {name: value[name] for name in DECISIVE_IF_SET if name in value}
    if isinstance(subject := value.get("subject"), Mapping) and "at_head" in subject:
        found["subject"] = {key: row for key, row in subject.items() if key != "at_head"}
    return found


@cache
def default_values() -> dict[str, Any]:
    """The default of every key that has one, in the form of experiment.yaml."""
    parts = {"subject": SubjectSpec, "harness": HarnessSpec, "metric": MetricSpec, "checkpoint": CheckpointSpec}
    parts |= {"evaluate": StepSpec, "guard": StepSpec, "hidden": StepSpec}
    found = defaults_in(Spec) | {name: defaults_in(part) for name, part in parts.items()}
    # derived: no keys of experiment.yaml
    for part, key in (("subject", "outputs"), ("subject", "command_arguments"), ("metric", "options")):
        del found[part][key]
    return dict(msgspec.json.decode(msgspec.json.encode(found)))


def defaults_in(part: type) -> dict[str, Any]:
    plain = {each.name: each.default for each in fields(part) if each.default is not MISSING}
    made = {each.name: each.default_factory() for each in fields(part) if each.default_factory is not MISSING}
    return plain | made


def defaults_from(folder: Path) -> Mapping[str, Any] | None:
    """The defaults that an experiment started with; None before it starts, or if an older version started it."""
    return (read_record(folder / "start.json") or {}).get("defaults")


def with_defaults(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as in experiment.yaml, completed. A part that may be left out gets its defaults only if it is there."""
    return merge({key: row for key, row in defaults.items() if key not in OPTIONAL or value.get(key)}, value)


def spec_of(name: str, base: Path, value: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Spec:
    """The spec that a checked mapping describes; `base` is the project or the run it belongs to."""
    held = defaults or default_values()
    filled = with_defaults(value, held)
    noise, harness, metric = filled["noise"], dict(filled["harness"]), filled["metric"]
    if harness.get("exclusive") is None:
        harness["exclusive"] = is_time(metric["name"])
    parts = {
        "name": name,
        "merged": value,
        "defaults": held,
        "subject": subject_of(base, filled),
        "harness": harness,
        "metric": metric_of(metric, (base / filled["subject"].get("root", ".")).resolve()),
        "constraints": [constraint_of(text) for text in filled["constraints"]],
        "noise": None if noise in ("off", False) else noise,
        "parent": filled["parent"] or "",
        "sandbox": sandbox_word(filled["sandbox"]),
    }
    parts |= {key: filled.get(key) or None for key in OPTIONAL}
    return msgspec.convert({**filled, **parts}, Spec, dec_hook=as_path)


def with_end(value: dict[str, Any]) -> dict[str, Any]:
    """The same mapping. If nothing in it ends the experiment for certain, it gets a number of runs."""
    if spec_of("", Path(), value).has_end:
        return value
    return {**value, "stopping": {**value.get("stopping", {}), "max_runs": MOST_RUNS}}


def as_path(_: type, value: Any) -> Path:
    return Path(value)


def plan_spec(text: str, defaults: Mapping[str, Any] | None = None) -> Spec | None:
    """The spec that a plan describes, unchecked; None if it cannot be read (its job says what is wrong)."""
    try:
        return spec_of("", Path(), parse_yaml(text, "the plan"), defaults)
    except (FlagstoneError, msgspec.ValidationError, TypeError, KeyError, AttributeError):
        return None


def outputs_in(value: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run is asked to leave: globs."""
    metric, saved, scored = value["metric"], value.get("checkpoint") or {}, value.get("evaluate") or {}
    globs = [metric.get("path"), metric.get("glob"), saved.get("glob"), scored.get("artifact")]
    return tuple(glob.removeprefix("./") for glob in globs if glob and not glob.startswith(("/", "~", "..")))


def subject_of(base: Path, value: Mapping[str, Any]) -> dict[str, Any]:
    subject = value["subject"]
    plain = [word for word in subject["mutable"] if not set(word) & set("*?[")]
    entry = subject.get("entry") or (plain[0] if plain else "")
    root = (base / subject.get("root", ".")).resolve()
    derived = {"outputs": outputs_in(value), "command_arguments": value.get("arguments")}
    return {**subject, "root": root, "entry": entry, **derived}


def metric_of(value: Mapping[str, Any], root: Path) -> dict[str, Any]:
    options = {key: item for key, item in value.items() if key not in METRIC_OWN}
    code = options.get("code", "")
    if "\n" not in code and len(code) < 4000 and code and (root / code).is_file():
        options["code"] = str(root / code)  # the project's own: a run may write a file of this name in its folder
    return {**value, "options": options}
