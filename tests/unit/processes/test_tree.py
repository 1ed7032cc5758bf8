"""Processes are found by their mark and by their family, and never by a number alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flagstone.processes import Command, Output, ProcessLimits, Survivor, end_orphans, run, still_alive
from flagstone.processes.proc import entry_of
from flagstone.processes.tree import MARK, NOBODY, ProcessTree, environment_of


@pytest.fixture
def owner(tmp_path: Path) -> str:
    """A name that no other session of these tests uses at the same time."""
    return str(tmp_path / "conversation-7")


@pytest.fixture
def orphan(owner: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that an earlier life of ours might have left."""
    env = {**os.environ, MARK: f":/outer//0:{owner}//abc"}
    with subprocess.Popen(["sleep", "30"], env=env, start_new_session=True) as process:
        # while a program is being loaded the kernel shows no environment yet
        while not environment_of(process.pid):
            os.sched_yield()
        yield process
        process.kill()


def test_an_orphan_is_found_by_its_owner_and_ended(owner: str, orphan: subprocess.Popen[bytes]) -> None:
    assert end_orphans(owner) == ()
    assert orphan.wait() == -15


def test_a_daemon_of_a_killed_life_is_found_by_its_owner_without_any_environment(owner: str, tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from flagstone.processes import Command, Output, ProcessLimits, run\n"
        "here, owner, sleep = Path(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
        "line = f'(setsid env -i {sleep} 30 & echo $! > pid); mv pid told; exec sleep 30'\n"
        "command = Command(('sh', '-c', line), None, here, dict(os.environ), owner=owner)\n"
        "run(command, ProcessLimits(), Output(here / 'o'))\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path), owner, shutil.which("sleep") or ""]
    with subprocess.Popen(words) as earlier:
        while not (tmp_path / "told").exists():
            assert earlier.poll() is None
            os.sched_yield()
        earlier.kill()
    entry = entry_of(int((tmp_path / "told").read_text()))
    assert entry is not None
    daemon = Survivor(entry.pid, entry.started_ticks)
    assert still_alive([daemon]) == (daemon,)
    end_orphans(owner + "0")
    assert still_alive([daemon]) == (daemon,)
    assert end_orphans(owner) == ()
    assert still_alive([daemon]) == ()


def test_what_belongs_to_others_is_left_alone(owner: str, orphan: subprocess.Popen[bytes]) -> None:
    for other in (str(Path(owner).parent), "conversation-7", owner[:-1], owner + "0", ""):
        assert end_orphans(other) == ()
    assert orphan.poll() is None


def test_a_process_is_known_by_its_start_as_well_as_its_number(orphan: subprocess.Popen[bytes]) -> None:
    entry = entry_of(orphan.pid)
    assert entry is not None
    same, other = Survivor(orphan.pid, entry.started_ticks), Survivor(orphan.pid, entry.started_ticks - 1)
    assert still_alive([same, other]) == (same,)
    orphan.kill()
    orphan.wait()
    assert still_alive([same]) == ()


def test_the_marks_of_the_runs_around_us_stay(shell: Callable[..., Command], output: Output) -> None:
    os.environ[MARK] = ":/outer//0"
    try:
        run(shell(f"echo ${MARK}", owner="inner"), ProcessLimits(), output)
    finally:
        del os.environ[MARK]
    assert output.stdout.read_text().startswith(":/outer//0:inner//")


def test_what_cannot_be_ended_is_named(
    owner: str, orphan: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.processes.tree.signal_all", lambda *_: None)
    monkeypatch.setattr("flagstone.processes.tree.ASK_S", 0.3)
    monkeypatch.setattr("flagstone.processes.tree.KILL_S", 0.6)
    left = ProcessTree(NOBODY, f":{owner}//", 0).end()
    assert [survivor.pid for survivor in left] == [orphan.pid]
