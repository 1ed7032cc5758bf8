"""tccw-autoresearch and Optuna beside us, each from an environment of its own: what a run costs beyond a bare loop.

The first call makes the environments, with pip. What cannot be installed here is named and left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from flagstone.processes.confinement import machine
from measured.loops import AGENT, HARNESS, SEARCH, SOURCE, Loop, bare
from measured.project import FLAGSTONE
from measured.rounds import Took, cpu_seconds, environment, promise, seconds, show, take_turns

ROUNDS = 7
FEW, MANY = 5, 45  # the difference of two lengths is what runs cost, without the start
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flagstone-benchmarks"
TCCW, OPTUNA = "tccw-autoresearch", "optuna"
AGENT_LOOP, NUMERIC_LOOP = "bare loop with an agent", "bare loop"
KEPT, KEPT_HELD = "flagstone, every edit kept", "flagstone, every edit kept, sandbox"
MARKER = """markers:
- name: m
  description: one less
  status: active
  target: {mutable: [train.sh], immutable: []}
  metric: {command: sh train.sh, extract: "grep -o '[0-9]*'", direction: lower, baseline: 1000000}
  agent: {name: default, budget_per_experiment: 10m, max_experiments: COUNT}
  escalation: {refine_after: 100000, pivot_after: 100000}
"""
# the same agent behind the command line and the answer that tccw-autoresearch expects of Claude Code
CLAUDE = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --add-dir ] && cd "$2"; shift; done
"$PEER_AGENT" >/dev/null
printf '{"type":"result","subtype":"success","is_error":false,"result":"one less","total_cost_usd":0}\\n'
"""
STUDY = """import optuna, subprocess, sys
optuna.logging.disable_default_handler()
def value(trial):
    open("x.py", "w").write(f"X={trial.suggest_float('X', 0, 4)}\\n")
    done = subprocess.run(["sh", "-c", sys.argv[2]], stdout=subprocess.PIPE, check=True)
    return float(done.stdout.split()[-1])
storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("journal.log"))
sampler = optuna.samplers.RandomSampler(seed=0)
optuna.create_study(storage=storage, sampler=sampler).optimize(value, n_trials=int(sys.argv[1]))
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        folder = Path(name)
        kept = take_turns(
            {AGENT_LOOP: lambda: bare_runs(folder, [agent_in(folder)], HARNESS), **with_agent(folder)}, ROUNDS
        )
        show(kept, AGENT_LOOP)
        if TCCW in kept:
            for side, limit in ((KEPT, 1.0), (KEPT_HELD, 1.2)):
                if side in kept:
                    ratio = beyond(kept, side, AGENT_LOOP) / beyond(kept, TCCW, AGENT_LOOP)
                    promise(f"{side}: beyond agent and harness / {TCCW}", ratio, limit, " ×")
        numeric = take_turns({NUMERIC_LOOP: lambda: bare_runs(folder, HARNESS), **numbers(folder)}, ROUNDS)
        show(numeric, NUMERIC_LOOP)


def beyond(found: dict[str, list[float]], side: str, floor: str) -> float:
    return median(found[side]) - median(found[floor])


def with_agent(folder: Path) -> dict[str, Callable[[], float]]:
    """An agent whose every edit is kept: ours without and with the sandbox, and theirs."""
    sides: dict[str, Callable[[], float]] = {KEPT: partial(ours, folder, {"sandbox": "off"})}
    if fault := machine.bubblewrap_fault():
        print(f"the default sandbox is not measured: {fault}")
    else:
        sides[KEPT_HELD] = partial(ours, folder, {"sandbox": "auto"})
    if program := installed_program(TCCW, "autoresearch"):
        sides[TCCW] = partial(each_run, partial(tccw, folder, program))
    return sides


def numbers(folder: Path) -> dict[str, Callable[[], float]]:
    """A search for one number: ours, and Optuna's with its journal in a file."""
    sides: dict[str, Callable[[], float]] = {"flagstone, search": partial(ours, folder, {**SEARCH, "sandbox": "off"})}
    if python := installed_program(OPTUNA, "python"):
        sides[OPTUNA] = partial(each_run, partial(study, folder, python))
    return sides


def installed_program(package: str, program: str) -> Path | None:
    """A program of an environment with this package only. Returns None if it cannot be made."""
    place = CACHE / package
    if not (place / "done").exists():
        for words in ([sys.executable, "-m", "venv", place], [place / "bin" / "pip", "install", "-q", package]):
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode:
                print(f"{package} cannot be installed here and is not measured: {done.stderr.strip()[-200:]}")
                return None
        (place / "done").touch()
    return place / "bin" / program


def each_run(of_length: Callable[[int], Took]) -> Took:
    few, many = of_length(FEW), of_length(MANY)
    return Took.of((many - few) / (MANY - FEW), (many.cpu_s - few.cpu_s) / (MANY - FEW))


def bare_runs(folder: Path, *programs: list[str] | tuple[str, ...]) -> Took:
    used, taken = cpu_seconds(), bare(folder, MANY - FEW, *programs)
    return Took.of(sum(taken) / len(taken), (cpu_seconds() - used) / len(taken))


def agent_in(folder: Path) -> str:
    path = folder / "agent.sh"
    if not path.exists():
        path.write_text(AGENT)
        path.chmod(0o755)
    return str(path)


def ours(folder: Path, changes: dict[str, object]) -> Took:
    def of_length(count: int) -> Took:
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
            there = Loop(Path(name), changes).make().folder
            return time_call([FLAGSTONE, "experiment", "run", "loop", "--runs", str(count)], there, environment())

    return each_run(of_length)


def tccw(folder: Path, program: Path, count: int, files: Mapping[str, str] | None = None) -> Took:
    """Its experiments in a fresh repository, which has `files` too."""
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        project, home = Path(name) / "project", Path(name) / "home"
        (project / ".autoresearch").mkdir(parents=True)
        (home / "bin").mkdir(parents=True)
        (project / ".autoresearch" / "config.yaml").write_text(MARKER.replace("COUNT", str(count)))
        write_files(project, {"train.sh": SOURCE.format(30_000), **(files or {})})
        (home / "bin" / "claude").write_text(CLAUDE)
        (home / "bin" / "claude").chmod(0o755)
        identity = {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env = {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            **identity,
            "PEER_AGENT": agent_in(folder),
        }
        for words in (["git", "init", "-q", "-b", "main"], ["git", "add", "-A"], ["git", "commit", "-qm", "x"]):
            time_call(words, project, env)
        took = time_call([program, "--headless", "run", "-m", "m"], project, env)
        kept = subprocess.run(["git", "log", "--all", "--oneline"], cwd=project, capture_output=True, check=True).stdout
        if kept.count(b"\n") <= count:
            raise SystemExit(f"{TCCW} kept fewer than {count} edits:\n{kept.decode()}")
        return took


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def study(folder: Path, python: Path, count: int) -> Took:
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        (Path(name) / "x.py").write_text("X=1.0\n")
        return time_call([python, "-c", STUDY, str(count), SEARCH["harness"]["argv"][2]], Path(name), environment())


def time_call(words: list[Path | str], cwd: Path, env: dict[str, str]) -> Took:
    def act() -> None:
        done = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    return seconds(act)


if __name__ == "__main__":
    main()
