"""Setup adds the arguments without which a run could not be measured or kept, each with its reason."""

from __future__ import annotations

from pathlib import Path

from flagstone.setup import look_at
from flagstone.setup.interview import Settled, proposal_of

MNIST = Path(__file__).resolve().parents[3] / "projects" / "shapes" / "pytorch_mnist" / "project"


def test_a_checkpoint_that_is_saved_on_demand_is_demanded() -> None:
    look = look_at(MNIST)
    proposal = proposal_of(Settled(look))
    assert proposal.value["arguments"]["fixed"] == {"seed": "{seed}", "save-model": True}
    assert "save-model is set to True, so that a run saves its checkpoint" in proposal.notes
    for answer in ("none", "other/*.pt"):
        fixed = proposal_of(Settled(look, {"checkpoint": answer})).value["arguments"]["fixed"]
        assert fixed == {"seed": "{seed}"}
