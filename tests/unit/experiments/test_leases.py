"""GPUs and the machine itself, shared by everything that runs on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from laboratory import TRAIN, Edit, Edits, Laboratory, set_x

from flagstone import locks
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.experiments.measuring import leases

IMPORTS = """
import os, sys
from pathlib import Path
from flagstone.experiments.measuring import leases
from flagstone.locks import machine
"""
CONTENDER = (
    IMPORTS
    + """
import random, time
machine.LOOK_EVERY_S = 0.002
folder, marks, chance = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(int(sys.argv[3]))
for _ in range(12):
    with leases.lease(chance.randint(1, len(leases.devices())), folder=folder) as held:
        for name in held.names:
            os.close(os.open(marks / name, os.O_CREAT | os.O_EXCL))  # somebody else holds it: this fails
        time.sleep(chance.random() / 100)
        for name in held.names:
            (marks / name).unlink()
"""
)
HOLDER = (
    IMPORTS
    + """
with leases.lease(int(sys.argv[2]), folder=Path(sys.argv[1])) as held:
    print(*held.names, flush=True)
    sys.stdin.readline()
"""
)
GPUS = ("GPU-aaaa", "GPU-bbbb", "GPU-cccc")


def at_once() -> bool:
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "locks"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A machine with these GPUs, and these variables."""

    def made(*gpus: str, **variables: str) -> None:
        for name in ("FLAGSTONE_GPUS", "CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(leases, "gpu_ids", lambda: gpus)

    return made


@pytest.fixture
def _four(machine: Callable[..., None]) -> None:
    machine(FLAGSTONE_GPUS="0,1,2,3")


@pytest.fixture
def holder(folder: Path) -> Iterator[Callable[[int], subprocess.Popen[str]]]:
    """Another process that holds so many GPUs until a line comes in, or it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(count: int) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", HOLDER, str(folder), str(count)]
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def are_free(folder: Path, count: int) -> bool:
    try:
        with leases.lease(count, folder=folder, wait=False):
            return True
    except FlagstoneError:
        return False


@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_two_processes_ever_hold_one_device(tmp_path: Path, folder: Path, count: int) -> None:
    (tmp_path / "marks").mkdir()
    env = {**os.environ, "FLAGSTONE_GPUS": ",".join(map(str, range(count)))}
    words = [sys.executable, "-c", CONTENDER, str(folder), str(tmp_path / "marks")]
    contenders = [subprocess.Popen([*words, str(seed)], stderr=subprocess.PIPE, env=env) for seed in range(5)]
    complaints = [each.communicate()[1].decode() for each in contenders]
    assert complaints == [""] * 5
    assert [name for name in os.listdir(folder) if name.startswith(("ticket", "."))] == []


@pytest.mark.usefixtures("_four")
def test_threads_of_one_process_do_not_share_a_device_either(folder: Path) -> None:
    with leases.lease(3, folder=folder):
        assert are_free(folder, 1)
        assert not are_free(folder, 2)
    assert are_free(folder, 4)


def test_a_lease_names_its_devices_in_the_environment(machine: Callable[..., None], folder: Path) -> None:
    machine(FLAGSTONE_GPUS="0,GPU-a/b")
    with leases.lease(2, folder=folder) as held:
        assert held.names == ("0", "GPU-a/b")
        assert held.environment() == {"CUDA_VISIBLE_DEVICES": "0,GPU-a/b"}


@pytest.mark.usefixtures("_four")
def test_a_killed_process_holds_nothing(folder: Path, holder: Callable[[int], subprocess.Popen[str]]) -> None:
    other = holder(4)
    assert said(other) == "0 1 2 3"
    assert not are_free(folder, 1)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert are_free(folder, 4)


@pytest.mark.usefixtures("_four")
def test_programs_that_are_started_meanwhile_hold_nothing(folder: Path) -> None:
    with leases.lease(4, folder=folder):
        program = subprocess.Popen(["sleep", "30"], close_fds=False)
    free = are_free(folder, 4)
    program.kill()
    program.wait()
    assert free


@pytest.mark.usefixtures("_four")
def test_a_forked_child_that_lives_on_holds_nothing(folder: Path) -> None:
    with leases.lease(4, folder=folder):
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
    free = are_free(folder, 4)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert free


@pytest.mark.usefixtures("_four")
def test_who_needs_many_is_not_passed_by_those_who_need_few(
    folder: Path, holder: Callable[[int], subprocess.Popen[str]]
) -> None:
    first = holder(1)
    assert said(first) == "0"
    waits = threading.Event()
    order: list[str] = []

    def many() -> None:
        with leases.lease(4, folder=folder, on_wait=lambda _: waits.set()):
            order.append("many")

    thread = threading.Thread(target=many)
    thread.start()
    assert waits.wait(30)
    # three are free, and still nobody who comes later gets one
    assert not are_free(folder, 1)
    first.communicate("go\n")
    with leases.lease(1, folder=folder):
        order.append("few")
    thread.join()
    assert order == ["many", "few"]


def test_a_ticket_that_was_drawn_earlier_and_shows_up_later_takes_no_turn_away(folder: Path) -> None:
    with (
        locks.lock_folder(folder) as ours,
        locks.lock_folder(folder) as others,
        ours.turn() as is_our_turn,
    ):
        assert is_our_turn()
        others.make("ticket-0", is_locked=True)
        assert is_our_turn()


@pytest.mark.usefixtures("_four")
def test_who_died_waiting_keeps_nobody_waiting(folder: Path, holder: Callable[[int], subprocess.Popen[str]]) -> None:
    with leases.lease(1, folder=folder):
        dying = holder(4)
        while not any(name.startswith("ticket") for name in os.listdir(folder)):
            assert dying.poll() is None
            os.sched_yield()
        dying.kill()
        dying.wait()
        assert are_free(folder, 3)
    assert [name for name in os.listdir(folder) if name.startswith("ticket")] == []


@pytest.mark.usefixtures("_four")
def test_who_waits_is_told_once_what_for_and_may_stop(
    folder: Path, holder: Callable[[int], subprocess.Popen[str]]
) -> None:
    other = holder(3)
    said(other)
    told: list[str] = []
    answers = iter((False, False, True))
    with (
        pytest.raises(Interrupted, match="stopped waiting for 2 of 4 GPUs"),
        leases.lease(2, folder=folder, on_wait=told.append, stop=lambda: next(answers)),
    ):
        pass
    assert told == [f"waiting for 2 of 4 GPUs, in use by {other.pid}"]
    assert are_free(folder, 1)


@pytest.mark.usefixtures("_four")
def test_more_devices_than_there_are_is_an_error_and_none_need_none(folder: Path) -> None:
    with pytest.raises(FlagstoneError, match="needs 5 GPUs, but this machine has 4"), leases.lease(5, folder=folder):
        pass
    with leases.lease(0, folder=folder) as held:
        assert held.environment() == {}


def test_under_slurm_what_the_scheduler_says_nothing_of_is_left_alone(
    machine: Callable[..., None], folder: Path
) -> None:
    machine(SLURM_JOB_ID="7")
    with leases.lease(1, folder=folder) as held:
        assert held.environment() == {}
    assert not folder.exists()


def test_runs_within_one_job_of_slurm_each_get_their_share_of_its_gpus(
    machine: Callable[..., None], folder: Path
) -> None:
    machine(*GPUS, SLURM_JOB_ID="7", CUDA_VISIBLE_DEVICES="0,1,2,3")
    with leases.lease(2, folder=folder) as one, leases.lease(2, folder=folder) as other:
        assert [one.environment(), other.environment()] == [{"CUDA_VISIBLE_DEVICES": each} for each in ("0,1", "2,3")]
        assert not are_free(folder, 1)
    with pytest.raises(FlagstoneError, match="needs 5 GPUs, but this job has 4"), leases.lease(5, folder=folder):
        pass


def test_jobs_of_slurm_on_one_node_do_not_wait_for_each_other(machine: Callable[..., None], folder: Path) -> None:
    machine(SLURM_JOB_ID="7", CUDA_VISIBLE_DEVICES="0")
    with leases.lease(1, folder=folder):
        assert not are_free(folder, 1)
        machine(SLURM_JOB_ID="8", CUDA_VISIBLE_DEVICES="0")
        assert are_free(folder, 1)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, GPUS),
        ({"FLAGSTONE_GPUS": "0, 2"}, ("0", "2")),
        ({"FLAGSTONE_GPUS": ""}, ()),
        ({"CUDA_VISIBLE_DEVICES": "1,GPU-a"}, ("1", "GPU-a")),
        ({"CUDA_VISIBLE_DEVICES": ""}, ()),
        ({"CUDA_VISIBLE_DEVICES": "2,-1,0"}, ("2",)),
        ({"CUDA_VISIBLE_DEVICES": "1,7"}, ("1",)),
        ({"FLAGSTONE_GPUS": "0,1,2", "CUDA_VISIBLE_DEVICES": "GPU-cccc,0"}, ("0", "2")),
        ({"FLAGSTONE_GPUS": "1,GPU-bbbb,0"}, ("1", "0")),
    ],
)
def test_devices_are_those_that_are_named_and_visible(
    machine: Callable[..., None], variables: dict[str, str], found: tuple[str, ...]
) -> None:
    machine(*GPUS, **variables)
    assert leases.devices() == found


def test_a_machine_without_gpus_has_no_devices(machine: Callable[..., None]) -> None:
    machine(CUDA_VISIBLE_DEVICES="0")
    assert leases.devices() == ()


def test_one_gpu_is_one_lock_however_it_is_written(machine: Callable[..., None], folder: Path) -> None:
    machine(*GPUS, FLAGSTONE_GPUS="1")
    with leases.lease(1, folder=folder):
        for written in ("GPU-bbbb", "GPU-b", "1"):
            machine(*GPUS, CUDA_VISIBLE_DEVICES=written)
            assert not are_free(folder, 1)
        machine(*GPUS, CUDA_VISIBLE_DEVICES="0")
        assert are_free(folder, 1)


def test_a_run_whose_time_is_measured_is_alone(folder: Path) -> None:
    def hold(*, is_alone: bool) -> AbstractContextManager[None]:
        return leases.hold_machine(is_alone=is_alone, folder=folder, stop=at_once)

    with hold(is_alone=False), hold(is_alone=False), pytest.raises(Interrupted):
        hold(is_alone=True).__enter__()
    with leases.hold_machine(is_alone=True, folder=folder):
        for is_alone in (True, False):
            with pytest.raises(Interrupted), hold(is_alone=is_alone):
                pass
    with leases.hold_machine(is_alone=False, folder=folder):
        pass


def test_whoever_wants_to_be_alone_is_not_kept_waiting_by_those_who_come_later(folder: Path) -> None:
    waits, order = threading.Event(), []

    def alone() -> None:
        with leases.hold_machine(is_alone=True, folder=folder, on_wait=lambda _: waits.set()):
            order.append("alone")

    thread = threading.Thread(target=alone)
    with leases.hold_machine(is_alone=False, folder=folder):
        thread.start()
        assert waits.wait(30)
        with pytest.raises(Interrupted), leases.hold_machine(is_alone=False, folder=folder, stop=at_once):
            pass
    with leases.hold_machine(is_alone=False, folder=folder):
        order.append("beside")
    thread.join()
    assert order == ["alone", "beside"]


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "l").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FlagstoneError, match="cannot use"), leases.hold_machine(is_alone=False, folder=tmp_path / "l"):
        pass


@pytest.mark.parametrize("kind", ["link", "fifo"])
@pytest.mark.usefixtures("_four")
def test_a_lock_that_is_no_plain_file_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    with leases.lease(1, folder=folder):
        pass
    lock = folder / "gpu-0"
    lock.unlink()
    (tmp_path / "victim").touch()
    os.mkfifo(lock) if kind == "fifo" else lock.symlink_to(tmp_path / "victim")
    with pytest.raises(FlagstoneError, match=r"cannot use .*gpu-0"), leases.lease(1, folder=folder):
        pass


@pytest.mark.usefixtures("_four")
def test_a_lock_file_that_was_cleared_away_keeps_nobody_out(folder: Path) -> None:
    with locks.lock_folder(folder) as open_folder:
        stale = open_folder.lock_file("gpu-0")
        (folder / "gpu-0").unlink()
        assert not open_folder.is_in_place("gpu-0", stale)
        open_folder.make("gpu-0")
        assert not open_folder.is_in_place("gpu-0", stale)
        os.close(stale)
    assert are_free(folder, 4)


OTHER_USER = (
    IMPORTS
    + """
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with leases.lease(1, folder=Path(sys.argv[1]), stop=lambda: True) as held:
    print(*held.names)
"""
)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.usefixtures("_four")
def test_users_share_the_devices_of_a_machine() -> None:
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        folder = Path(place) / "locks"
        words = [sys.executable, "-c", OTHER_USER, str(folder)]
        with leases.lease(1, folder=folder):
            assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "1\n"
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "0\n"
        with leases.lease(4, folder=folder):
            assert "Interrupted" in subprocess.run(words, capture_output=True, text=True).stderr


def test_where_time_is_measured_a_proposal_is_made_between_the_runs(laboratory: Laboratory) -> None:
    spans = laboratory.folder / "spans"
    laboratory.folder.mkdir(exist_ok=True)
    note = f"import time\nbegan = time.time()\ntime.sleep(0.15)\nspans = open({str(spans)!r}, 'a')\n"
    note += "spans.write(f'run {began} {time.time()}\\n')\n"
    laboratory.files = {**laboratory.files, "train.py": note + TRAIN}

    def slow(value: float) -> Edit:
        def edit(draft: Path) -> str:
            began = time.time()
            time.sleep(0.1)
            with open(spans, "a") as stream:
                stream.write(f"proposal {began} {time.time()}\n")
            return set_x(value)(draft) or ""

        return edit

    harness = {"argv": [sys.executable, "train.py"], "exclusive": True}
    laboratory.make(harness=harness, lag=3, stopping={"max_runs": 6})
    laboratory.run(Edits({number: slow(1 + number / 10) for number in range(2, 9)}))
    rows = [line.split() for line in spans.read_text().splitlines()]
    runs = [(float(began), float(ended)) for kind, began, ended in rows if kind == "run"]
    others = [(float(began), float(ended)) for kind, began, ended in rows if kind == "proposal"]
    assert len(runs) >= 6 and len(others) >= 5
    assert not [(one, two) for one in runs for two in others if one[0] < two[1] and two[0] < one[1]]
