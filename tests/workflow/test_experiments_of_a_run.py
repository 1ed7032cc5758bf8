"""`flagstone experiment … --run RUN`: a person goes on with an experiment of a run by hand, as the run would."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from workbench import Place, Study

# halves the way to 3 in each edit; asked for a design it answers with one
CLI = """
import json, pathlib, re, sys
prompt = sys.stdin.read()
pathlib.Path(PLACE, "prompts.txt").open("a").write(prompt)
if "design the experiment after" in prompt:
    print(json.dumps({"name": "two", "goal": "lower still", "rationale": "X moved it most"}))
else:
    path = pathlib.Path("train.py")
    text = path.read_text()
    now = float(re.search(r"X = (.*)", text)[1])
    path.write_text(re.sub(r"X = .*", f"X = {(now + 3) / 2}", text))
    print("halfway to 3")
"""


@pytest.fixture
def study(place: Place) -> Study:
    """A run whose agent is that CLI, with an experiment that says nothing of agents."""
    cli = place.root / "cli.py"
    cli.write_text(CLI.replace("PLACE", repr(str(place.root))))
    study = place.new("r2024")
    study.set(sandbox="off", agent="command", command={"argv": [sys.executable, str(cli)]})
    (study.root / "train.py").write_text("X = 1.0\nprint(f'val_loss: {(X - 3) ** 2}')\n")
    spec = {
        "goal": "less loss",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "stopping": {"max_runs": 3},
    }
    folder = study.root / "experiments" / "one"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    return study


def calls(study: Study) -> list[dict[str, Any]]:
    path = study.root / "logs" / "agents.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def values(study: Study, name: str = "one") -> list[float]:
    lines = (study.root / "experiments" / name / "ledger.jsonl").read_text().splitlines()
    return [json.loads(line)["value"] for line in lines]


def test_the_agent_of_the_run_proposes_and_its_calls_are_booked_under_the_stage(place: Place, study: Study) -> None:
    said = place.flagstone("experiment", "run", "one", "--run", "r2024")
    assert said.code == 0, said.text
    assert values(study) == [4.0, 1.0, 0.25]
    assert [(line["agent"], line["stage"]) for line in calls(study)] == [("command", "05")] * 2
    assert said.last == "next: flagstone experiment report one --run r2024"


@pytest.mark.parametrize("verb", ["run", "resume"])
def test_the_budget_of_the_run_holds_for_what_a_person_runs(place: Place, study: Study, verb: str) -> None:
    study.set(budget={"agent_calls": 1})
    said = place.flagstone("experiment", verb, "one", "--run", "r2024")
    assert said.code == 3, said.text
    assert "the budget of run r2024 is used up: agent_calls 1 of 1" in said.text
    assert len(calls(study)) == 1 and values(study) == [4.0, 1.0]


def test_a_chain_is_paid_for_by_the_run_as_well(place: Place, study: Study) -> None:
    study.set(budget={"agent_calls": 2})
    said = place.flagstone("experiment", "run", "one", "--run", "r2024", "--chain", "1")
    assert said.code == 3 and len(calls(study)) == 2
    assert "the budget of run r2024 is used up" in said.text


def test_what_the_run_pinned_holds_and_not_what_the_checkout_has_now(place: Place, study: Study) -> None:
    template = study.root / "pinned" / "prompts" / "experiment.md.j2"
    template.write_text(f"{template.read_text()}\nPinned long ago.\n")
    schema = study.root / "pinned" / "schemas" / "experiment.schema.yaml"
    schema.write_text(schema.read_text().replace("  rebase: {", "  was_known_then: {type: boolean}\n  rebase: {"))
    path = study.root / "experiments" / "one" / "experiment.yaml"
    path.write_text(f"{path.read_text()}was_known_then: true\n")
    for words in (("run", "one", "--runs", "2"), ("status", "one"), ("report", "one")):
        said = place.flagstone("experiment", *words, "--run", "r2024")
        assert said.code == 0, said.text
    assert "Pinned long ago." in (place.root / "prompts.txt").read_text()


def test_every_next_command_names_the_run(place: Place, study: Study) -> None:
    words = ("--metric", "val_loss", "--mutable", "train.py", "--", "python", "train.py")
    said = place.flagstone("experiment", "new", "three", "--run", "r2024", *words)
    assert said.last == "next: flagstone experiment check three --run r2024"
    assert place.flagstone("experiment", "run", "one", "--run", "r2024", "--runs", "1").code == 0
    said = place.flagstone("experiment", "chain", "one", "two", "--rationale", "why not", "--run", "r2024")
    assert said.last == "next: flagstone experiment run two --run r2024"
    said = place.flagstone("experiment", "stop", "one", "--run", "r2024")
    assert said.last == "next: flagstone experiment resume one --run r2024"


def test_a_run_may_be_named_like_a_run_of_an_experiment(place: Place, study: Study, tmp_path: Path) -> None:
    assert place.flagstone("experiment", "run", "one", "--run", "r2024", "--runs", "1").code == 0
    said = place.flagstone("experiment", "tail", "one", "--run", "r2024")
    assert (said.code, said.text) == (0, "val_loss: 4.0\n")
    said = place.flagstone("experiment", "status", "--run", "r2025")
    assert said.code == 2 and "r2025" in said.text
    within = study.root / "experiments"
    assert place.flagstone("experiment", "tail", "--run", "r0001", cwd=within).text == "val_loss: 4.0\n"
