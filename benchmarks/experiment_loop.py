"""What the engine adds to a run beyond proposer and harness, over thousands of runs; against a bare loop."""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from statistics import median

from measured.loops import Loop, bare
from measured.rounds import promise

RUNS = 5_000
SHARE = 200
LIMIT_MS = 15
WAITING_S = 2.0


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        folder = Path(name)
        floor = median(bare(folder, SHARE))
        plain = Loop(folder / "plain", {"stopping": {"max_runs": runs}}).make()
        plain.run(SHARE)
        begun_mb = peak_mb()
        gaps = plain.run(runs - SHARE)
        overhead_ms = 1000 * (median(gaps) - floor)
        print(f"bare loop {1000 * floor:.1f} ms; engine {1000 * median(gaps):.1f} ms, {median(gaps) / floor:.1f} ×")
        promise(f"beyond the bare loop, median of {len(gaps)} runs, fsync on, no sandbox", overhead_ms, LIMIT_MS, " ms")
        drift = median(gaps[-SHARE:]) / median(gaps[:SHARE])
        promise(f"last {SHARE} / first {SHARE} of {runs}", drift, 1.1, "×")
        promise(f"memory at the end / after {SHARE}", peak_mb() / begun_mb, 1.15, "×")
        held = Loop(folder / "held", {"sandbox": "auto"}).make().run(60)
        print(f"the sandbox costs {1000 * (median(held) - median(gaps)):.1f} ms a run")
        lagged(folder)


def lagged(folder: Path) -> None:
    """Twenty runs with an agent and a harness of two seconds each, one after the other and side by side."""
    words = {"harness": {"argv": ["sh", "-c", f"sleep {WAITING_S}; . ./train.sh"], "seconds": 60}}
    took, verdicts = {}, {}
    for lag in (1, 2):
        loop = Loop(folder / f"lag-{lag}", {**words, "lag": lag}).make()
        loop.run(20, WAITING_S)
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
