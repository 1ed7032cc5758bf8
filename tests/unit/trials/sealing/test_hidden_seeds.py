"""No agent and no other run can see the confirmation seeds, or what runs on them left; a run sees its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from sealed_trial import SealedTrial

from flagstone.agents import AgentCall, Conversation, Limits, Mode, Task
from flagstone.agents.sandbox import confinement_for
from flagstone.experiments.measuring import confinement
from flagstone.layout import places_of_trials, sealed_folders
from flagstone.metrics import Place, read_metrics
from flagstone.processes import Command, Confinement, Output, ProcessLimits, run
from flagstone.processes.confinement import machine
from flagstone.trials.sealing.seeds import make_sealed, sealed_seeds, seeds_path, wait_for_viewers

# looks for a number everywhere that it can: by path, through links, and in /proc of every process
SPY = """
import glob, os, sys
tops, places = sys.argv[1:], list(sys.argv[1:])
for top in tops:
    for place, _, names in os.walk(top, followlinks=True):
        places += [os.path.join(place, name) for name in names]
for part in ("environ", "cmdline", "root", "cwd", "fd/*"):
    for path in glob.glob(f"/proc/[0-9]*/{part}"):
        places += [path, *glob.glob(path + "/*.json"), *(path + top for top in tops)]
for path in filter(os.path.isfile, places):
    try:
        print(open(path, "rb").read(1_000_000).decode("latin-1"))
    except OSError:
        pass
"""
LIMITS = Limits(wall_s=60, silence_s=60, turns=1, cost_usd=None)


def need_bubblewrap() -> None:
    if machine.bubblewrap_fault():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs bubblewrap")


def make_run(tmp_path: Path) -> Path:
    base = tmp_path / "runs" / "first"
    base.mkdir(parents=True)
    (base / "run.yaml").write_text("{}\n")
    (base / "workspace").mkdir()
    return base


@pytest.fixture
def trial(tmp_path: Path) -> SealedTrial:
    """A trial of a run, whose seeds are sealed, with a confirmation run in progress."""
    need_bubblewrap()
    base = make_run(tmp_path)
    trial = SealedTrial(base).write()
    trial.seal()
    (base / "workspace" / "link").symlink_to(seeds_path(trial.folder))
    (base / "workspace" / "folder").symlink_to(trial.folder.sealed)
    for name in ("treated-b1", "control-b1"):
        own = trial.folder.sealed / "runs" / name
        own.mkdir(parents=True)
        (own / "measured-first.json").write_text(f'{{"seed": {seed_of(trial)}, "of": "{name}"}}')
    return trial


@pytest.fixture
def running(trial: SealedTrial) -> Iterator[None]:
    """A run that knows its seed, as a confirmation run does, with a file of the sealed folder open."""
    env = {**os.environ, "SEED": str(seed_of(trial))}
    argv = [sys.executable, "-c", "import time; time.sleep(600)", str(seed_of(trial))]
    with open(seeds_path(trial.folder), "rb") as stream:
        process = subprocess.Popen(argv, env=env, stdin=stream, cwd=trial.folder.sealed)
    yield
    process.kill()
    process.wait()


def seed_of(trial: SealedTrial) -> int:
    known = sealed_seeds(trial.folder)
    assert known is not None
    return known.seeds["b1"]


def seen(held: Confinement | None, own: Path, *places: Path) -> str:
    """What a spy finds that is held like this."""
    own.mkdir(parents=True, exist_ok=True)
    command = Command(
        (sys.executable, "-c", SPY, *map(str, places)), None, own, {"PATH": os.environ["PATH"]}, confinement=held
    )
    result = run(command, ProcessLimits(wall_s=60), Output(own / "log"))
    assert result.exit_code == 0, (own / "log").read_text()[-500:]
    return (own / "log").read_text(errors="replace")


def agent_call(run_root: Path, mode: Mode) -> AgentCall:
    task = Task("03", "a stage", 1, run_root, run_root / "workspace" / "draft.md")
    writable = (run_root / "workspace",)
    return AgentCall("", Conversation("1", False), task, mode, writable, None, LIMITS, run_root, {})


@pytest.mark.usefixtures("running")
def test_the_spy_finds_the_seed_if_nothing_hides_it(trial: SealedTrial, tmp_path: Path) -> None:
    """Otherwise the tests below would show nothing."""
    found = seen(None, tmp_path / "spy", trial.base / "workspace")
    assert found.count(str(seed_of(trial))) >= 3
    assert str(seed_of(trial)) in seen(None, tmp_path / "spy", seeds_path(trial.folder))


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("mode", Mode)
def test_no_agent_sees_a_seed(trial: SealedTrial, mode: Mode) -> None:
    own = trial.base / "workspace" / "own"
    own.mkdir()
    held = confinement_for(agent_call(trial.base, mode), (own,))
    found = seen(held, own, trial.base, seeds_path(trial.folder), trial.folder.sealed, trial.base / "workspace")
    assert str(seed_of(trial)) not in found
    assert "lower the loss" in found, "the rest of the trial stays in view"


@pytest.mark.usefixtures("running")
def test_an_agent_of_another_run_sees_no_seed(trial: SealedTrial) -> None:
    other = trial.base.parent / "second"
    (other / "workspace").mkdir(parents=True)
    (other / "run.yaml").write_text("{}\n")
    held = confinement_for(agent_call(other, Mode.WORK), ())
    assert str(seed_of(trial)) not in seen(held, other / "workspace", trial.base.parent)


@pytest.mark.usefixtures("running")
def test_a_screening_run_and_a_proposal_see_no_seed(trial: SealedTrial) -> None:
    own = trial.folder.run("treated", "a1")
    own.mkdir(parents=True)
    held = confinement(trial.spec.experiment, (own,))
    assert str(seed_of(trial)) not in seen(held, own, trial.base, trial.folder.sealed)


def test_a_confirmation_run_sees_its_own_folder_and_no_other(trial: SealedTrial) -> None:
    own = trial.folder.sealed / "runs" / "treated-b1"
    held = confinement(trial.spec.experiment, (own,))
    found = seen(held, own, trial.folder.sealed)
    assert '"of": "treated-b1"' in found
    assert '"of": "control-b1"' not in found and "salt" not in found


def test_an_evaluator_sees_what_it_is_to_score(trial: SealedTrial, tmp_path: Path) -> None:
    own = trial.folder.sealed / "runs" / "treated-b1"
    held = confinement(trial.spec.experiment, (tmp_path / "evaluate",), (own,))
    found = seen(held, tmp_path / "evaluate", trial.folder.sealed)
    assert '"of": "treated-b1"' in found
    assert '"of": "control-b1"' not in found and "salt" not in found


def test_the_code_of_a_metric_sees_the_run_that_it_reads_and_no_seed(trial: SealedTrial) -> None:
    own = trial.folder.sealed / "runs" / "treated-b1"
    code = f"""
import os
def extract(run_dir, log_text):
    return {{"own": len(os.listdir(run_dir)), "sealed": len(os.listdir({str(trial.folder.sealed)!r})),
            "seeds": os.path.exists({str(seeds_path(trial.folder))!r})+0}}
"""
    reading = read_metrics("custom", {"code": code}, Place(own, own / "run.log", 0.0, 1.0), ("own", "sealed", "seeds"))
    assert reading.values == {"own": 1.0, "sealed": 1.0, "seeds": 0.0}, reading.problems


# reads the seeds as soon as they are there, until it is told to end
WATCH = """
import os, sys, time
print("watching", flush=True)
while not os.path.exists(sys.argv[1]):
    if os.path.exists(sys.argv[2]):
        print("seen", open(sys.argv[2]).read(), flush=True)
    time.sleep(0.01)
"""


@dataclass
class Watcher:
    """An agent's program that goes on until it is told to end, and reads the seeds if it can."""

    trial: SealedTrial
    own: Path
    owner: Path

    def start(self) -> None:
        self.own.mkdir()
        argv = (sys.executable, "-c", WATCH, str(self.own / "end"), str(seeds_path(self.trial.folder)))
        held = confinement_for(agent_call(self.trial.base, Mode.WORK), (self.own,))
        env = {"PATH": os.environ["PATH"]}
        command = Command(argv, None, self.own, env, owner=str(self.owner), confinement=held)
        self.thread = Thread(target=run, args=(command, ProcessLimits(wall_s=60), Output(self.own / "log")))
        self.thread.start()
        wait_until(lambda: (self.own / "log").is_file() and "watching" in self.log)

    @property
    def log(self) -> str:
        return (self.own / "log").read_text()

    def end(self) -> str:
        (self.own / "end").touch()
        self.thread.join(30)
        return self.log


def test_seeds_are_drawn_when_all_have_ended_that_began_before_they_could_be_hidden(tmp_path: Path) -> None:
    need_bubblewrap()
    trial = SealedTrial(make_run(tmp_path))
    early = Watcher(trial, trial.base / "workspace" / "own", trial.base)
    early.start()
    trial.write()
    messages: list[str] = []
    sealing = Thread(target=lambda: (wait_for_viewers(trial.folder, messages.append), trial.seal()))
    sealing.start()
    wait_until(lambda: bool(messages))
    assert not seeds_path(trial.folder).exists()
    assert "seen" not in early.end()
    sealing.join(30)
    assert seeds_path(trial.folder).exists()
    assert messages[0].startswith("waiting until processes end that began before this trial")


def test_programs_of_another_project_are_not_waited_for(tmp_path: Path) -> None:
    need_bubblewrap()
    trial = SealedTrial(make_run(tmp_path))
    stranger = Watcher(trial, trial.base / "workspace" / "own", tmp_path / "elsewhere")
    stranger.start()
    wait_for_viewers(trial.folder, pytest.fail)
    stranger.end()


def test_what_began_after_the_trial_is_not_waited_for(tmp_path: Path) -> None:
    need_bubblewrap()
    trial = SealedTrial(make_run(tmp_path)).write()
    make_sealed(trial.folder)
    late = Watcher(trial, trial.base / "workspace" / "own", trial.base)
    late.start()
    wait_for_viewers(trial.folder, pytest.fail)
    trial.seal()
    time.sleep(0.1)
    assert "seen" not in late.end()


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    "place", ["trials/other/runs/treated-a1", "experiments/x/runs/r0001", "../second/trials/t/runs/c-a1"]
)
def test_a_run_of_another_trial_or_experiment_sees_no_seed(trial: SealedTrial, place: str) -> None:
    own = trial.base / place
    own.mkdir(parents=True)
    held = confinement(trial.spec.experiment, (own,))
    assert str(seed_of(trial)) not in seen(held, own, trial.base, trial.base.parent, trial.folder.sealed)


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_sealed_folders_are_found_from_anywhere_in_a_run_or_a_project(trial: SealedTrial, tmp_path: Path) -> None:
    alone = tmp_path / "project" / ".flagstone" / "trials" / "one" / "sealed"
    alone.mkdir(parents=True)
    inside = tmp_path / "project" / ".flagstone" / "experiments" / "x" / "trees" / "1"
    assert sealed_folders([inside]) == (alone, trial.folder.sealed)
    assert sealed_folders([trial.base / "workspace" / "code"]) == (trial.folder.sealed,)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(trial.base / "workspace")
    assert sealed_folders([elsewhere / "code"]) == (trial.folder.sealed,)


def test_the_runs_of_an_experiment_are_not_searched_for_seeds(tmp_path: Path) -> None:
    home = tmp_path / ".flagstone" / "experiments" / "x"
    (home / "runs" / "r0001").mkdir(parents=True)
    (home / "experiment.yaml").touch()
    assert list(places_of_trials(home)) == []
