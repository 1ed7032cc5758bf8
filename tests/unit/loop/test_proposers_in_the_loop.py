"""Proposers in the real loop: what they propose is run, judged and written down."""

from __future__ import annotations

from pathlib import Path

from laboratory import ROOT, Laboratory

from flagstone.loop.engine import engine_of
from flagstone.loop.proposers.registry import proposer_for


def run(laboratory: Laboratory, limit: int | None = None) -> str:
    opened = laboratory.open()
    with engine_of(opened, proposer_for(opened.spec, ROOT / "prompts"), laboratory.said.append) as engine:
        return engine.run(limit)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_experiment_of_a_script_ends_when_the_script_does(laboratory: Laboratory) -> None:
    laboratory.make(proposer="scripted", script="edits")
    for number, x in ((2, 2.0), (3, 3.0)):
        source = laboratory.files["train.py"].replace("X = 1.0", f"X = {x}")
        write(laboratory.project / "edits" / f"{number:04d}" / "train.py", source)
    assert run(laboratory) == "proposals"
    assert [verdict for _, _, verdict in laboratory.words()] == ["advance"] * 3
