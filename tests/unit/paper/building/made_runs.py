"""Trials and experiments as their ledgers and folders are on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flagstone.layout import Run
from flagstone.records import Ledger

# everything that TeX would act on, and letters that its fonts have and lack
HOSTILE = r"50% of \input{/etc/passwd} & $x_1$ #2 ~ ^ {a} \end{longtable} <b> -- α é 中 “q” 1e-05"


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def make_trial(run: Run, name: str = "mixup", *, failed: str = "", **verdict: Any) -> Path:
    """A trial with five runs of two arms. `failed` names one that crashed."""
    folder = run.root / "trials" / name
    ledger = Ledger(folder / "ledger.jsonl")
    runs = [("control", "a1"), ("control", "a2"), ("treated", "a1"), ("control", "b1"), ("treated", "b1")]
    for number, (arm, slot) in enumerate(runs):
        add_run(folder, arm, slot, is_failed=f"{arm}-{slot}" == failed, at=f"2026-01-01T00:00:0{number}Z")
    write_json(
        folder / "prereg.json",
        {"question": HOSTILE, "metric": "loss", "gate": "confirm", "alpha": 0.05, "number": 1, "seeds": "s1",
         "minimum_effect": 0.01, "screening": [42, 137]},
    )  # fmt: skip
    ledger.append({"kind": "prereg", "digest": "d", "number": 1, "alpha": 0.05, "at": "2026-01-01T00:00:09Z"})
    ledger.append(
        {"kind": "idea", "arm": "treated", "title": HOSTILE, "tree": "t", "commit": "c", "at": "", "lines": 7}
    )
    ledger.append({"kind": "idea", "arm": "idea2", "title": "Never ran", "tree": "", "commit": "", "at": "",
                   "failure": "it does not import"})  # fmt: skip
    ledger.append({"kind": "look", "step": 1, "what": "confirm", "at": "", "runs": ["control-b1", "treated-b1"]})
    confirmation = {"n": 4, "mean": -0.0125, "ci_low": -0.02, "ci_high": 0.001, "p": 0.0312, "alpha_spent": 0.015}
    ideas = [{"arm": "treated", "title": HOSTILE, "outcome": "INCONCLUSIVE", "confirmation": confirmation}]
    ledger.append({"kind": "verdict", "outcome": "INCONCLUSIVE", "ideas": ideas, "at": "", "seeds": {"b1": 987654},
                   **verdict})  # fmt: skip
    Ledger(folder.parent / "preregistrations.jsonl").append({"trial": name, "key": "k", "seeds": "s1", "at": ""})
    return folder


def add_run(
    folder: Path, arm: str, slot: str, *, is_failed: bool = False, at: str = "", in_ledger: bool = True
) -> None:
    name, basis = f"{arm}-{slot}", f"basis of {arm}-{slot}"
    ended = {"status": "crash", "exit_code": 17, "reason": "out of memory"} if is_failed else {"status": "ok"}
    value = {} if is_failed else {"value": 1.2345678e-05}
    if in_ledger:
        line = {"kind": "run", "arm": arm, "slot": slot, "basis": basis, "at": at, "wall_s": 2.5, **ended, **value}
        Ledger(folder / "ledger.jsonl").append(line)
    write_json(folder / "runs" / name / "basis.json", {"basis": basis})
    write_json(folder / "runs" / name / "measured-first.json", {"part": "first"})


def make_experiment(run: Run, name: str = "tune", runs: int = 3, failed: tuple[int, ...] = ()) -> Path:
    """An experiment whose ledger and folders agree."""
    folder = run.root / "experiments" / name
    ledger = Ledger(folder / "ledger.jsonl")
    for number in range(1, runs + 1):
        run_id, is_failed = f"r{number:04d}", number in failed
        measured = {"part": "first", "seed": 1, "status": "crash" if is_failed else "ok", "exit_code": 9 * is_failed}
        ledger.append(
            {"number": number, "run_id": run_id, "parent_run": "r0001" if number > 1 else "", "tree": "", "commit": "",
             "note": f"try {number}", "status": measured["status"], "verdict": "crash" if is_failed else "advance",
             "reason": "", "value": None if is_failed else float(number), "valid": True, "improved": False,
             "previous_best": "", "best_run": run_id, "best_value": 1.0, "measurements": [measured]}
        )  # fmt: skip
        write_json(folder / "runs" / run_id / "result.json", {"run_id": run_id})
    return folder
