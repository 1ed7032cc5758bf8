"""Ledgers as long experiments leave them, made up from a seed: for tests and benchmarks of what is read off them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flagstone.experiments.deciding.verdict import ConstraintCheck
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.progress import Progress
from flagstone.experiments.measuring.measurement import Measurement
from flagstone.plans.folder import Home, run_id
from flagstone.plans.spec import Spec, spec_of
from flagstone.records import ZERO, digest_bytes, encode, utc

BEGAN = 1_767_225_600.0  # 2026-01-01
FAILURES = (
    ("crash", "crash", "exit code 1"),
    ("timeout", "timeout", "took longer than 300 s"),
    ("violation", "invalid", "changed prepare.py, which is not one of the files that may change"),
    ("invalid", "revert", "the metric val_loss is missing; the nearest keys seen: val/loss"),
)
IDEAS = ("lr {lr:.2e}", "warm-up of {n} steps", "a wider layer ({n})", "less dropout", "cosine schedule, {n} steps")


def spec_for(base: Path, **changes: Any) -> Spec:
    """The spec of such an experiment; `changes` are whole top-level keys."""
    value: dict[str, Any] = {
        "goal": "a lower validation loss",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"]},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "constraints": ["peak_rss_mb <= 4000"],
        "stopping": {"plateau": 500, "max_runs": 20_000},
    }
    return spec_of("made-up", base, {**value, **changes})


def home_for(base: Path) -> Home:
    return Home(base / "experiments" / "made-up", base)


def measured(number: int, value: float | None, part: str = "first", **changes: Any) -> Measurement:
    """One measurement of a run that went well, unless changed."""
    log = f"runs/{run_id(number)}/run.log" if part == "first" else f"runs/{run_id(number)}/measured-{part}.log"
    made = Measurement(
        part=part,
        seed=1234 + number,
        status="ok",
        value=value,
        metrics={} if value is None else {"val_loss": value, "wall_s": 1.25, "peak_rss_mb": 512.0},
        backend="log",
        exit_code=0,
        started_at=utc(BEGAN + 10 * number),
        wall_s=1.25,
        peak_rss_mb=512.0 + number % 7,
        peak_vram_mb=None,
        gpus=1,
        log=log,
    )
    return replace(made, **changes)


def entry_of(number: int, verdict: str = "revert", value: float | None = 1.0, **changes: Any) -> Entry:
    """One line of a ledger; `changes` are its fields."""
    made = Entry(
        number=number,
        run_id=run_id(number),
        parent_run=run_id(number - 1) if number > 1 else "",
        tree=digest_bytes(f"tree {number}".encode())[:40],
        commit=digest_bytes(f"commit {number}".encode())[:40],
        note=f"edit {number}",
        status="ok",
        verdict=verdict,  # type: ignore[arg-type]
        reason="better than the best" if verdict == "advance" else "no better than the best",
        value=value,
        valid=True,
        improved=verdict == "advance",
        previous_best="",
        best_run=run_id(number) if verdict == "advance" else "",
        best_value=value if verdict == "advance" else None,
        measurements=(measured(number, value),),
        constraints=(ConstraintCheck("peak_rss_mb", "<=", 4000.0, 512.0, passed=True),),
        proposal={"cost_usd": 0.02, "tokens": 1800},
        contract="c" * 64,
        ended_at=utc(BEGAN + 10 * number + 2),
    )
    return replace(made, **changes)


def made_up(count: int, seed: int = 0, *, searched: bool = False) -> list[Entry]:
    """A ledger of `count` runs: few gains, many reverts, some failures; parents are the best of the moment."""
    chance, found = random.Random(seed), list[Entry]()
    best = entry_of(1, "advance", 2.0, note="baseline", measurements=baseline(chance), best_run=run_id(1))
    found.append(best)
    for number in range(2, count + 1):
        entry = next_run(chance, number, best, searched)
        found.append(entry)
        best = entry if entry.improved else best
    return found


def baseline(chance: random.Random) -> tuple[Measurement, ...]:
    parts = ("first", "repeat-1", "repeat-2", "repeat-3", "repeat-4")
    return tuple(measured(1, 2.0 + chance.gauss(0, 0.01), part, seed=nr) for nr, part in enumerate(parts))


def next_run(chance: random.Random, number: int, best: Entry, searched: bool) -> Entry:
    known = {"parent_run": best.run_id, "previous_best": best.run_id}
    after = {"best_run": best.run_id, "best_value": best.value}
    lr = 10 ** chance.uniform(-5, -1)
    note = chance.choice(IDEAS).format(lr=lr, n=chance.randrange(10, 500))
    proposal: Mapping[str, Any] = {"cost_usd": 0.02, "tokens": 1800}
    if searched:
        proposal = {**proposal, "parameters": {"LR": lr, "WIDTH": chance.choice([64, 128, 256])}}
    if chance.random() < 0.12:
        status, verdict, reason = chance.choice(FAILURES)
        first = measured(number, None, status=status if status != "violation" else "ok", exit_code=1, reason=reason)
        tried = () if status == "violation" else (first,)
        failed = {"status": status, "reason": reason, "valid": False, "measurements": tried, "constraints": ()}
        return entry_of(number, verdict, None, note=note, proposal=proposal, **failed, **known, **after)
    assert best.value is not None
    value = best.value * (1 + abs(chance.gauss(0, 0.05))) + 0.05 * abs(math.log10(lr) + 3)
    if chance.random() < 4 / number + 0.002:
        value = best.value * (1 - abs(chance.gauss(0, 0.01)) - 0.001)
        repeats = tuple(measured(number, value + chance.gauss(0, 0.01), f"repeat-{n}", seed=n) for n in range(1, 4))
        judged = {"test": number, "pairs": 3, "gain": best.value - value, "evidence": 0.004, "reason": "a gain"}
        own = {"measurements": (measured(number, value), *repeats), "judgement": judged}
        gain = {"best_run": run_id(number), "best_value": value}
        return entry_of(number, "advance", value, note=note, proposal=proposal, **own, **known, **gain)
    return entry_of(number, "revert", value, note=note, proposal=proposal, **known, **after)


def progress_of(entries: Iterable[Entry]) -> Progress:
    """Where a whole ledger leaves an experiment."""
    found = Progress()
    for entry in entries:
        found = found.after(entry)
    return found


def write_ledger(home: Home, entries: Iterable[Entry]) -> None:
    """The ledger as the engine writes it, without waiting for the disk at every line."""
    home.root.mkdir(parents=True, exist_ok=True)
    before, lines = ZERO, []
    for entry in entries:
        line = encode({**vars(entry), "before": before})
        before = digest_bytes(line)
        lines.append(line + b"\n")
    home.ledger.write_bytes(b"".join(lines))
