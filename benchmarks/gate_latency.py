"""From the touch of a flag to the start of the next agent call, under `flagstone run --watch`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

from measured.project import FLAGSTONE, new_run, throw_away_project
from measured.rounds import PROGRAMS, command, environment, promise, seconds, show

STAGES = [f"{number:02d}" for number in range(1, 9)]
RUNS = 3
LIMIT_S = 0.2
PATIENCE_S = 60


def main() -> None:
    latencies: list[float] = []
    starts: list[float] = []
    with throw_away_project() as root:
        for number in range(RUNS):
            run = new_run(root, f"run-{number}")
            watcher = watching(root, run.name)
            try:
                for nr, following in pairwise(STAGES):
                    latencies.append(latency(run, nr, following, root / "said.txt"))
                    starts.append(seconds(lambda: command(PROGRAMS / "python", "-c", "pass", cwd=root)))
            finally:
                watcher.terminate()
                watcher.wait()
    show({"python -c pass": starts, "touch to agent call": latencies}, "python -c pass")
    print("each gate, ms: " + " ".join(f"{1000 * took:.0f}" for took in latencies))
    promise(f"touch to agent call, median of {len(latencies)} gates", median(latencies), LIMIT_S, " s")


def watching(root: Path, name: str) -> subprocess.Popen[bytes]:
    """`flagstone run --watch`, with what it says in said.txt."""
    words = [FLAGSTONE, "run", name, "--watch"]
    with open(root / "said.txt", "wb") as said:
        return subprocess.Popen(
            words, cwd=root, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )


def latency(run: Path, nr: str, following: str, said: Path) -> float:
    """Touches one flag as soon as the watcher waits for it."""
    wait_until(lambda: said.read_bytes().count(b"watching for flags") == int(nr))
    time.sleep(0.1)  # a person is slower than this; the watcher looks at its own pace
    call = run / "drafts" / following / "001" / "commands" / "call.json"
    (run / "approved" / f"{nr}.flag").touch()
    return seconds(lambda: wait_until(call.exists))


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        time.sleep(0.001)


if __name__ == "__main__":
    main()
