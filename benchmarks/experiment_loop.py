"""What the engine adds to a run beyond proposer and harness, over thousands of runs; against a bare loop."""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from statistics import median

from flagstone.processes.confinement import machine
from measured.loops import HARNESS, SEARCH, Loop, Steps, bare
from measured.rounds import promise, show

RUNS = 2_000
SHARE = 200
ROUNDS, TURN = 8, 25  # in each round, each side has so many runs in a row
LIMITS_MS = {"search": 7, "search, sandbox": 12}
WAITING_S = 2.0
FLOOR, AGENT_FLOOR = "bare loop", "bare loop with an agent"
KEPT, KEPT_HELD = "agent, every edit kept", "agent, every edit kept, sandbox"


def main() -> None:
    runs = max(2 * SHARE, int(sys.argv[1])) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        folder = Path(name)
        found = in_turns(folder)
        show(found, FLOOR)
        for side, limit_ms in LIMITS_MS.items():
            if side in found:
                beyond_ms = 1000 * (median(found[side]) - median(found[FLOOR]))
                promise(f"{side}: beyond the bare loop, fsync on", beyond_ms, limit_ms, " ms")
        for side in (each for each in (KEPT, KEPT_HELD) if each in found):
            beyond_ms = 1000 * (median(found[side]) - median(found[AGENT_FLOOR]))
            print(f"{side}: {beyond_ms:.1f} ms beyond agent and harness (benchmarks/peers.py compares this)")
        long(folder, runs)
        time_waiting_runs(folder)


def in_turns(folder: Path) -> dict[str, list[float]]:
    """Seconds of every run, of each side by turns."""
    loops = {"search": Loop(folder / "search", SEARCH), KEPT: Loop(folder / "kept", {})}
    if fault := machine.bubblewrap_fault():
        print(f"the default sandbox is not measured: {fault}")
    else:
        loops["search, sandbox"] = Loop(folder / "search-held", {**SEARCH, "sandbox": "auto"})
        loops[KEPT_HELD] = Loop(folder / "kept-held", {"sandbox": "auto"})
    for loop in loops.values():
        loop.make().run(2)
    agent = [str(folder / "kept" / "agent.sh")]
    found: dict[str, list[float]] = {name: [] for name in (FLOOR, AGENT_FLOOR, *loops)}
    for _ in range(ROUNDS):
        found[FLOOR] += bare(folder, TURN)
        found[AGENT_FLOOR] += bare(folder, TURN, agent, HARNESS)
        for name, loop in loops.items():
            found[name] += loop.run(TURN)
    return found


def long(folder: Path, runs: int) -> None:
    """Whether time and memory of a run stay what they were, however many there are."""
    loop = Loop(folder / "long", {"stopping": {"max_runs": runs}}).make()
    loop.run(SHARE, Steps())
    begun_mb = peak_mb()
    gaps = loop.run(runs - SHARE, Steps())
    promise(f"last {SHARE} / first {SHARE} of {runs}", median(gaps[-SHARE:]) / median(gaps[:SHARE]), 1.1, "×")
    promise(f"memory at the end / after {SHARE}", peak_mb() / begun_mb, 1.15, "×")


def time_waiting_runs(folder: Path) -> None:
    """Twenty runs with an agent and a harness of two seconds each, one after the other and side by side."""
    words = {"harness": {"argv": ["sh", "-c", f"sleep {WAITING_S}; . ./train.sh"], "seconds": 60}}
    took, verdicts = {}, {}
    for lag in (1, 2):
        loop = Loop(folder / f"lag-{lag}", {**words, "lag": lag}).make()
        loop.run(20, Steps(WAITING_S))
        took[lag] = loop.moments[-1] - loop.moments[0]
        lines = loop.home.results.read_text().splitlines()[1:]
        verdicts[lag] = [line.split("\t")[4] for line in lines]
    if verdicts[1] != verdicts[2]:
        raise SystemExit(f"other verdicts with lag 2: {verdicts}")
    promise("20 runs, agent and harness 2 s each: lag 2 / lag 1, same verdicts", took[2] / took[1], 0.6, "×")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
