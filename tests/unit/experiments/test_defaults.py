"""An experiment keeps the defaults it started with, whatever the code has by now."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.plans import spec as specs


def change_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later version of the code could have."""
    later: dict[str, Any] = deepcopy(specs.default_values())
    later["harness"]["memory_mb"] = 1
    later["stopping"]["max_runs"] = 1
    later["guard"]["seconds"] = 1
    monkeypatch.setattr(specs, "default_values", lambda: later)


def test_an_experiment_writes_down_what_it_is_set_to_with_every_default(laboratory: Laboratory) -> None:
    laboratory.make(guard={"argv": ["true"]}).open()
    spec = json.loads(laboratory.home.start.read_text())["spec"]
    assert (spec["harness"]["seconds"], spec["harness"]["memory_mb"], spec["noise"]) == (30, None, "off")
    guard = {key: spec["guard"][key] for key in ("argv", "seconds", "passes")}
    assert guard == {"argv": ["true"], "seconds": 300, "passes": {"of": 1, "need": 1}}
    assert spec["stopping"]["max_runs"] is None
    assert "evaluate" not in spec


def test_a_new_default_never_reaches_an_experiment_that_has_started(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    laboratory.make(guard={"argv": ["true"]}).run(Edits({1: set_x(2), 2: set_x(3)}), limit=1)
    change_defaults(monkeypatch)
    spec = laboratory.open().spec
    assert (spec.harness.memory_mb, spec.stopping.max_runs, spec.guard and spec.guard.seconds) == (None, None, 300)
    laboratory.run(Edits({2: set_x(3)}), limit=1)
    assert [name for name, _, _ in laboratory.words()] == ["r0001", "r0002"]
    assert not (laboratory.home.root / "history").exists(), "it is the same experiment"


def test_a_new_default_holds_for_what_starts_after_it(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    change_defaults(monkeypatch)
    assert laboratory.make().open().spec.harness.memory_mb == 1
    assert laboratory.open().spec.stopping.max_runs == 1


def test_a_key_that_a_person_takes_out_falls_back_to_the_default_of_the_start(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 6}).run(Edits({1: set_x(2)}), limit=1)
    laboratory.make()
    assert laboratory.open().spec.stopping.max_runs is None


def test_an_experiment_whose_start_says_no_defaults_has_those_of_the_code(laboratory: Laboratory) -> None:
    """Version e144a5e wrote none."""
    laboratory.make().open()
    start = json.loads(laboratory.home.start.read_text())
    laboratory.home.start.write_text(json.dumps({key: start[key] for key in start if key not in ("spec", "defaults")}))
    assert laboratory.open().spec.guard is None
    assert laboratory.open().spec.agent.turns == 60
