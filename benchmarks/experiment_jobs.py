"""What a run costs through plain `snakemake`, one a job and fifty a job; and what a call without work costs."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import yaml

from measured.loops import HARNESS, SOURCE, bare, value_of
from measured.project import FLAGSTONE, SNAKEMAKE, new_run, throw_away_project
from measured.rounds import command, environment, promise, seconds, show

RUNS = 2_000
SHARE = 200


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with throw_away_project() as root:
        floor = bare(root, 100)
        none = run_with_plan(root, "none", 1, 1)
        idle_s = least(root, none)
        one = run_with_plan(root, "one", 1, runs)
        gaps = verdict_gaps(root, one)
        floor += bare(root, 100)
        show({"bare loop, before and after": floor, "block 1": gaps}, "bare loop, before and after")
        promise(f"block 1, median of {len(gaps)} runs, process starts included", 1000 * median(gaps), 150, " ms")
        promise(f"last {SHARE} / first {SHARE}", median(gaps[-SHARE:]) / median(gaps[:SHARE]), 1.1, "×")
        promise(f"a call with nothing to do, {runs} runs on disk / one run", least(root, one) / idle_s, 1.3, "×")
        many = run_with_plan(root, "many", 50, min(runs, 500))
        gaps = verdict_gaps(root, many)
        promise(f"block 50, mean of {len(gaps)} runs", 1000 * sum(gaps) / len(gaps), 25, " ms")


def run_with_plan(root: Path, name: str, block: int, count: int) -> Path:
    """A run whose stage 04 was approved with one plan, and whose edits cost nothing."""
    run = new_run(root, name)
    with (run / "run.yaml").open("a") as settings:
        settings.write('sandbox: "off"\n')  # a plan may not say so
    code, script = run / "workspace" / "code", run / "workspace" / "notes" / "edits"
    for folder in (code, script, run / "workspace" / "experiments"):
        folder.mkdir(parents=True, exist_ok=True)
    (code / "train.sh").write_text(SOURCE.format(30_000))
    for number in range(2, count + 1):
        (script / f"{number:04d}").mkdir()
        (script / f"{number:04d}" / "train.sh").write_text(SOURCE.format(value_of(number)))
    plan = {
        "goal": "measure the jobs",
        "subject": {"root": "workspace/code", "mutable": ["train.sh"]},
        "harness": {"argv": list(HARNESS), "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "proposer": "scripted",
        "script": "workspace/notes/edits",
        "stopping": {"max_runs": count},
        "block": block,
    }
    (run / "workspace" / "experiments" / "loop.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    command(FLAGSTONE, "run", name, "--yes", "--to", "04", cwd=root)
    return run


def verdict_gaps(root: Path, run: Path) -> list[float]:
    """Seconds between verdicts while one call of Snakemake makes them all: when each line came out."""
    words = [str(SNAKEMAKE), "--cores", "1", "--config", f"run={run.name}"]
    process = subprocess.Popen(words, cwd=root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    is_verdict = (line[9:10] == b"r" and line[10:14].isdigit() for line in process.stderr)
    moments = [perf_counter() for is_one in is_verdict if is_one]
    if process.wait():
        raise SystemExit(f"snakemake ended with {process.returncode}")
    ledger = run / "experiments" / "loop" / "ledger.jsonl"
    assert len(moments) == sum(1 for line in ledger.open() if json.loads(line))
    return [after - before for before, after in pairwise(moments)]


def least(root: Path, run: Path) -> float:
    """The least of five calls after everything is done."""
    call = (SNAKEMAKE, "--cores", "1", "--config", f"run={run.name}")
    command(*call, cwd=root)
    return min(seconds(lambda: command(*call, cwd=root)) for _ in range(5))


if __name__ == "__main__":
    main()
