"""What a plan means: its defaults, its digest, and the files it names."""

from __future__ import annotations

from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import pytest

from flagstone.plans.files import NamedFiles
from flagstone.plans.spec import NoiseRule, Spec, spec_of

PLAN: dict[str, Any] = {
    "goal": "less loss",
    "subject": {"root": "workspace/code", "mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"], "seconds": 60},
    "metric": {"name": "loss", "direction": "min"},
    "contract": "prepare.py",
}
DIGEST = "dbff130e0763573bf2daee38e247b7bdbad28ff1bb2056a3c6ce9786890a894e"
FILES = ("train.py", "prepare.py", "model.py", "notes.txt", "lib/a.py", "../data/x.yaml")


def deciding(plan: dict[str, Any]) -> set[str]:
    named = NamedFiles.of(spec_of("e", Path("/run"), plan))
    return {path for path in FILES if named.decides(path)}


def test_the_digest_of_what_decides_is_that_of_earlier_versions() -> None:
    """It is in the start.json of old experiments: another one would make them start over."""
    assert spec_of("e", Path("/run"), PLAN).digest == DIGEST


def test_without_globs_the_sources_beside_the_entry_decide_and_whatever_is_named() -> None:
    assert deciding(PLAN) == {"prepare.py", "model.py"}
    assert deciding({**PLAN, "guard": {"argv": ["bash", "./lib/../lib/a.py"]}}) == {
        "prepare.py",
        "model.py",
        "lib/a.py",
    }
    assert deciding({**PLAN, "evaluate": {"argv": ["cat", "../data/x.yaml"], "artifact": "x"}}) == {
        "prepare.py",
        "model.py",
        "../data/x.yaml",
    }


def test_globs_take_the_place_of_what_is_beside_the_entry() -> None:
    subject = {**PLAN["subject"], "protected": ["lib/**"]}
    assert deciding({**PLAN, "subject": subject}) == {"prepare.py", "lib/a.py"}


def test_in_a_work_tree_of_git_only_what_is_named_decides() -> None:
    assert deciding({**PLAN, "subject": {**PLAN["subject"], "kind": "git"}}) == {"prepare.py"}


@pytest.mark.parametrize("mutable", [["*.py"], ["prepare.py", "model.py"]])
def test_what_may_change_never_decides(mutable: list[str]) -> None:
    assert not deciding({**PLAN, "subject": {"mutable": mutable, "entry": "train.py"}}) & {"prepare.py", "model.py"}


def test_an_old_experiment_has_the_defaults_it_began_with() -> None:
    """Version e144a5e wrote none into start.json: a default that changes needs a table for those experiments."""
    spec = spec_of("e", Path("/run"), {**PLAN, "harness": {"argv": ["x"]}, "guard": {"argv": ["x"]}})
    assert spec.guard is not None
    assert (spec.harness.seconds, spec.guard.seconds, spec.harness.network, spec.harness.gpus) == (300, 300, True, 0)
    assert (spec.metric.backend, spec.subject.kind, spec.subject.protected) == ("auto", "files", None)
    assert asdict(NoiseRule()) == {"alpha": 0.05, "baseline_repeats": 5, "max_repeats": 30}
    assert (spec.agent.wall_s, spec.agent.silence_s, spec.agent.turns, spec.agent.mode) == (1200, 600, 60, "edit")
    plain = {each.name: each.default for each in fields(Spec) if each.default not in (MISSING, None, "", ())}
    assert plain == {
        "proposer": "agent",
        "lag": 1,
        "rebase": False,
        "block": 1,
        "seed": 0,
        "sandbox": "auto",
        "rework": 0,
        "simplicity": "off",
    }
