"""What a trial is set to: the question, the arms, the gate and its looks, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from flagstone.errors import FlagstoneError
from flagstone.layout import path_below
from flagstone.plans.spec import Spec, spec_of
from flagstone.schemas import parse_yaml

SHARED = ("subject", "harness", "metric", "evaluate", "constraints", "contract", "sandbox")  # as in experiment.yaml
SCREENING_SEEDS = (42, 137, 256, 512, 1024)
CONTROL = "control"
TRIALS = "trials"

Gate = Literal["confirm", "cohens_d"]


@dataclass(frozen=True)
class Look:
    """How many pairs a look is taken at, and the α that it may spend."""

    pairs: int
    alpha: float


@dataclass(frozen=True)
class Arm:
    """A treated arm: what turns the treatment on, and its files if they are not those of the subject."""

    name: str
    switch: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    tree: str = ""  # a folder, or a revision of the project


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One trial. `experiment` is how a single run is made and measured."""

    name: str
    question: str
    experiment: Spec
    arms: tuple[Arm, ...] = ()  # empty in a campaign, whose attempts make them
    data: tuple[str, ...] = ()
    observe: tuple[str, ...] = ()
    possible_range: tuple[float | None, float | None] = (None, None)
    scale: tuple[str, ...] = ()
    largest_change: int = 200
    minimum_effect: float | str = 0.0  # in units of the metric, or "0.5 sd"
    gate: Gate = "confirm"
    ideas: int = 3
    screening: tuple[int, ...] = SCREENING_SEEDS
    looks: tuple[Look, ...] = (Look(4, 0.015), Look(8, 0.035))
    screen: bool = True
    sequential: bool = False
    underpowered: Literal["refuse", "accept"] = "refuse"
    merged: Mapping[str, Any]

    @cached_property
    def pairs(self) -> int:
        """How many confirmation seeds there are."""
        return max(look.pairs for look in self.looks)

    def has_switch(self, arm: str) -> bool:
        """Whether the treatment of an arm can be turned off. That of a second version of the files cannot."""
        return all(each.switch or each.env for each in self.arms if each.name == arm)

    def seed_of(self, slot: str) -> int:
        """The seed of a screening slot, a1 to a5. A repeat has the seed of what it repeats: a1r2 that of a1."""
        return self.screening[int(slot.removeprefix("a").partition("r")[0]) - 1]


def trial_spec_of(name: str, base: Path, value: Mapping[str, Any]) -> TrialSpec:
    """The trial that a checked mapping describes; `base` is the project or the run that it belongs to."""
    own = {key: row for key, row in value.items() if key not in SHARED and key not in ("seeds", "switch", "arms")}
    experiment = {key: value[key] for key in SHARED if key in value} | {"goal": value["question"]}
    return msgspec.convert(
        {
            **own,
            "name": name,
            "experiment": None,
            "arms": [arm_of(each, row) for each, row in arms_in(value).items()],
            "screening": value.get("seeds", {}).get("screening", SCREENING_SEEDS),
            "screen": value.get("screen", "on") not in ("off", False),
            "merged": value,
        }
        | {"experiment": measuring_more(spec_of(name, base, experiment), value)},
        TrialSpec,
        dec_hook=lambda _, item: item,
    )


def measuring_more(spec: Spec, value: Mapping[str, Any]) -> Spec:
    """The same spec; what a trial looks at beside its metric is read from each run too."""
    names = (*spec.metric.auxiliary, *value.get("observe", ()), *value.get("scale", ()))
    return replace(spec, metric=replace(spec.metric, auxiliary=tuple(dict.fromkeys(names))))


def planned_trial(text: str) -> TrialSpec | None:
    """The trial that a plan describes, unchecked; None if it cannot be read (its job says what is wrong)."""
    try:
        return trial_spec_of("", Path(), parse_yaml(text, "the plan"))
    except (FlagstoneError, msgspec.ValidationError, TypeError, KeyError, AttributeError):
        return None


def arms_in(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arms by name; a plan with just a switch has one, called `treated`."""
    if value.get("arms"):
        return dict(value["arms"])
    return {"treated": {"switch": value["switch"]}} if value.get("switch") else {}


def arm_of(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A switch is words of the command line, or variables of the environment."""
    switch = row.get("switch", ())
    is_variables = isinstance(switch, Mapping)
    return {
        "name": name,
        "switch": () if is_variables else tuple(switch),
        "env": dict(switch) if is_variables else {},
        "tree": row.get("tree", ""),
    }


@dataclass(frozen=True)
class TrialFolder:
    """The name of every path below the folder of one trial. `base` is the project or the run that it belongs to."""

    root: Path
    base: Path

    @property
    def name(self) -> str:
        return self.root.name

    spec = path_below("trial.yaml")
    prereg = path_below("prereg.json")
    # the confirmation seeds, and everything that tells them; no agent and no other run sees this folder
    sealed = path_below("sealed")
    ledger = path_below("ledger.jsonl")
    store = path_below("trees.git")
    lock = path_below("lock")
    baseline = path_below("baseline_variance.md")
    verdict = path_below("verdict.json")
    report = path_below("report.md")
    page = path_below("report.html")
    # written when the trial has ended; no rule has it as its output
    done = path_below("done.json")
    failure = path_below("failure.json")

    def run(self, arm: str, slot: str) -> Path:
        """The folder of one run. Before the verdict, that of a confirmation run is below `sealed`."""
        return self.root / "runs" / f"{arm}-{slot}"

    def sealed_run(self, arm: str, slot: str) -> Path:
        """Where a confirmation run lies before the verdict."""
        return self.sealed / "runs" / f"{arm}-{slot}"

    def record(self, arm: str, slot: str) -> Path:
        """What Snakemake waits for: written when the run has an outcome."""
        return self.root / "records" / f"{arm}-{slot}.json"

    def look(self, number: int) -> Path:
        """What Snakemake waits for: written when this step has been decided."""
        return self.root / "looks" / f"{number:03d}.json"

    def idea(self, arm: str) -> Path:
        return self.root / "ideas" / arm
