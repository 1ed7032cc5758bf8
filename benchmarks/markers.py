"""What a marker adds to an experiment beyond agent and harness: in a small repository, in a large one, side by side.

The first call makes an environment for tccw-autoresearch, with pip. If that cannot be installed here, it is left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median

from flagstone.cli.jobs.owner import owner_of
from flagstone.markers import Watch, marker_named, run_session
from flagstone.processes.confinement import machine
from measured.loops import AGENT, HARNESS, SOURCE, bare
from measured.rounds import CHECKOUT, Took, command, cpu_seconds, promise, show
from peers import TCCW, each_run, installed_program, tccw, write_files

ROUNDS, TURN = 5, 20  # in each round, each side makes so many experiments in a row
FILES = {"small": 0, "large": 5_000}
LIMITS_MS = {"small": 30, "large": 60}
LONG, SHARE = 500, 100  # experiments of one session, and how many at its ends are compared
BUSY_S, BUSY_RUNS, GAIN = 2.0, 6, 1.8  # CPU seconds of a harness, and how many of them two cores share
FLOOR, OURS, HELD = "bare loop with an agent", "marker, sandbox off", "marker"
BUSY = (
    f"{sys.executable} -c 'import time; [0 for _ in iter(lambda: time.process_time() < {BUSY_S}, False)]'; sh train.sh"
)
MARKER = """markers:
- name: m
  target: {{mutable: [train.sh]}}
  metric: {{command: {command}, extract: "grep -o '[0-9]*'", direction: lower}}
  noise: off
  run: {{sandbox: {sandbox}}}
  loop: {{parallel: {parallel}}}
  agent: {{driver: command, options: {{argv: [{agent}]}}}}
"""


@dataclass
class Sessions:
    """A repository of so many files with a marker in it, and the moments of its verdicts, in wall and CPU seconds."""

    folder: Path
    files: int = 0
    sandbox: str = "auto"
    parallel: int = 1
    command: str = "sh train.sh"
    moments: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def make(self) -> Sessions:
        agent = agent_beside(self.folder)
        text = MARKER.format(
            **{**vars(self), "command": repr(self.command), "sandbox": repr(self.sandbox)}, agent=agent
        )
        make_repository(self.folder, {".flagstone/config.yaml": text, **modules(self.files)})
        return self

    def note(self, *_: object) -> tuple[str, ...]:
        """At each verdict."""
        self.moments.append(time.perf_counter())
        self.used.append(cpu_seconds())
        return ()

    def run(self, count: int) -> list[float]:
        """Seconds between one verdict and the next, of one session."""
        self.moments, self.used = [], []
        found, watch = marker_named(self.folder, "m"), Watch(lambda _: None, self.note)
        found = replace(found, loop=replace(found.loop, max_experiments=count))
        run_session(found, CHECKOUT / "schemas", owner_of(self.folder).proposer, watch)
        return [
            Took.of(self.moments[number] - self.moments[number - 1], self.used[number] - self.used[number - 1])
            for number in range(1, len(self.moments))
        ]


def agent_beside(folder: Path) -> Path:
    path = folder.with_name(f"{folder.name}-agent.sh")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(AGENT)
    path.chmod(0o755)
    return path


def make_repository(folder: Path, files: dict[str, str]) -> None:
    """A repository with the file that is edited, and these."""
    write_files(folder, {"train.sh": SOURCE.format(30_000), **files})
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "x")):
        command("git", *who, *words, cwd=folder)


def modules(number: int) -> dict[str, str]:
    """So many files of a few lines, in fifty folders."""
    return {f"package/part{each % 50}/module{each}.py": f"N = {each}\n" * 20 for each in range(number)}


def main() -> None:
    names = sys.argv[1:] or ["small", "large", "long", "parallel"]
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        for size in (each for each in FILES if each in names):
            side_by_side(Path(name) / size, size)
        if "long" in names:
            time_long_session(Path(name) / "long")
        if "parallel" in names:
            time_candidates_in_parallel(Path(name))


def side_by_side(folder: Path, size: str) -> None:
    """Experiments of which each is kept, of each side by turns."""
    sides = {OURS: Sessions(folder / "free", FILES[size], "off").make()}
    if fault := machine.bubblewrap_fault():
        print(f"the default sandbox is not measured: {fault}")
    else:
        sides[HELD] = Sessions(folder / "held", FILES[size]).make()
    agent, program = str(agent_beside(folder / "floor")), installed_program(TCCW, "autoresearch")
    found: dict[str, list[float]] = {each: [] for each in (FLOOR, *sides, *([TCCW] if program else []))}
    for side in sides.values():
        side.run(2)
    for _ in range(ROUNDS):
        found[FLOOR] += bare(folder, TURN, [agent], HARNESS)
        for each, side in sides.items():
            found[each] += side.run(TURN)
        if program:
            found[TCCW].append(each_run(partial(tccw, folder, program, files=modules(FILES[size]))))
    print(f"-- a {size} repository: {FILES[size] + 2} files")
    show(found, FLOOR)
    for each in sides:
        beyond_ms = 1000 * (median(found[each]) - median(found[FLOOR]))
        promise(f"{size} repository, {each}: beyond agent and harness", beyond_ms, LIMITS_MS[size], " ms")


def time_long_session(folder: Path) -> None:
    """Whether an experiment takes as long at the end of a session as at its beginning."""
    gaps = Sessions(folder / "repository", sandbox="off").make().run(LONG)
    promise(f"last {SHARE} / first {SHARE} of {LONG}", median(gaps[-SHARE:]) / median(gaps[:SHARE]), 1.1, " ×")
    cpu = [each.cpu_s for each in gaps if isinstance(each, Took)]
    promise("the same in CPU time", median(cpu[-SHARE:]) / median(cpu[:SHARE]), 1.1, " ×")


def time_candidates_in_parallel(folder: Path) -> None:
    """Harnesses that use a core, one after the other and two at once."""
    took = {}
    for parallel in (1, 2):
        gaps = Sessions(folder / f"parallel-{parallel}", sandbox="off", parallel=parallel, command=BUSY).make()
        gaps.run(BUSY_RUNS)
        took[parallel] = gaps.moments[-1] - gaps.moments[0]
    promise(f"{BUSY_RUNS} candidates of {BUSY_S:g} s: two at once / one by one", took[2] / took[1], 1 / GAIN, " ×")


if __name__ == "__main__":
    main()
