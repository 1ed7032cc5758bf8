"""A run with results that stages offer, and a paper to be made of them."""

from __future__ import annotations

import json
from pathlib import Path

from flagstone.layout import Run
from flagstone.paper.facts import FactBook, build_facts
from flagstone.records import Ledger, digest_bytes

RUNS = """experiment,arm,seed,role,status,accuracy,n
digits,plain,1,confirmation,ok,0.50,1
digits,plain,2,confirmation,ok,0.60,1
digits,plain,3,confirmation,ok,0.70,1
digits,mixup,1,confirmation,ok,0.80,1
digits,mixup,2,confirmation,ok,0.90,1
digits,mixup,3,confirmation,crash,,1
digits,mixup,4,screen,ok,0.99,1
"""


def make_run(folder: Path, files: dict[str, str] | None = None) -> Run:
    """A run whose stage 05 offers these files; by default the results of two arms."""
    run = Run(folder / "demo")
    run.root.mkdir(parents=True)
    offer(run, files or {"workspace/results/runs.csv": RUNS})
    return run


def offer(run: Run, files: dict[str, str]) -> None:
    for path, text in files.items():
        (run.root / path).parent.mkdir(parents=True, exist_ok=True)
        (run.root / path).write_bytes(text.encode())
    rows = [{"path": path, "digest": digest_bytes(text.encode())} for path, text in files.items()]
    (run.root / "stages").mkdir(exist_ok=True)
    (run.root / "stages" / "05_experimentation.json").write_text(json.dumps({"stage": "05", "artifacts": rows}))


def write_yaml(run: Run, name: str, text: str) -> None:
    path = run.workspace / "writing" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def facts_of(run: Run, text: str) -> FactBook:
    """The facts that this facts.yaml names."""
    write_yaml(run, "facts", text)
    return build_facts(run)


def problem_of(run: Run, text: str) -> str:
    """The one problem of a facts.yaml."""
    (problem,) = facts_of(run, text).problems
    return problem


def write_trial(run: Run, *, pairs: int = 3, exploratory: bool = False, name: str = "mixup") -> None:
    """A trial with its ledger and its verdict, as Flagstone writes them."""
    folder = run.root / "trials" / name
    slots = [
        {"slot": f"b{at}", "seed": 100 + at, "control": 0.5, "treated": 0.6, "e": -0.1} for at in range(1, pairs + 1)
    ]
    confirm = {"n": pairs, "mean": -0.1, "sd": 0.02, "ci_low": -0.15, "ci_high": -0.05}
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.append({"kind": "run", "arm": "control", "slot": "a1", "value": 0.5, "status": "ok"})
    ledger.append({"kind": "run", "arm": "control", "slot": "b1", "value": 0.6, "status": "ok"})
    marked = "a plan was changed" if exploratory else ""
    measured = [{("improvement" if name == "e" else name): value for name, value in pair.items()} for pair in slots]
    screen = {"arm": "mixup", "mean": 0.2, "n": 3}
    ideas = [{"arm": "mixup", "confirmation": {**confirm, "pairs": measured}, "screen": screen}]
    ledger.append({"kind": "verdict", "outcome": "INCONCLUSIVE", "exploratory": marked, "ideas": ideas})
    verdict = {
        "outcome": "INCONCLUSIVE",
        "exploratory": exploratory,
        "arm": "mixup",
        "confirm": {**confirm, "pairs": slots},
        "screen": [screen],
    }
    (folder / "verdict.json").write_text(json.dumps(verdict))
