"""The memory of a child is its own, of its whole tree, and ends it where it is too much."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flagstone.processes import Command, Confinement, Output, ProcessLimits, ProcessResult, run
from flagstone.processes.confinement import machine
from flagstone.processes.memory import Gauge
from flagstone.processes.start import peak_mb

PYTHON_MB = 30  # what the interpreter itself may take
SETTLED = "; import time; time.sleep(0.4)"

Measured = Callable[..., ProcessResult]


@pytest.fixture
def _large() -> Iterator[None]:
    """We take far more than any child of these tests."""
    ours = b"x" * 200_000_000
    yield
    del ours


@pytest.fixture
def measured(tmp_path: Path, output: Output) -> Measured:
    """What became of a piece of Python, held by a confinement or free."""

    def result(program: str, confinement: Confinement | None = None, **limits: float) -> ProcessResult:
        env = {"PATH": os.environ["PATH"]}
        command = Command((sys.executable, "-SEc", program), None, tmp_path, env, confinement=confinement)
        bounds = ProcessLimits(**{"wall_s": 20, "stop_s": 1, **limits})  # type: ignore[arg-type]
        return run(command, bounds, output)

    return result


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    if machine.bubblewrap_fault():
        pytest.skip(machine.bubblewrap_fault())
    return Confinement((tmp_path,))


def peak(result: ProcessResult) -> float:
    assert result.peak_rss_mb is not None
    return result.peak_rss_mb


@pytest.mark.usefixtures("_large")
def test_the_peak_is_the_childs_and_not_what_it_had_of_ours_at_the_fork(measured: Measured) -> None:
    assert 80 < peak(measured(f"x = b'x' * 80_000_000; del x{SETTLED}")) < 80 + PYTHON_MB


@pytest.mark.usefixtures("_large")
def test_the_peak_inside_bubblewrap_is_that_of_the_program(measured: Measured, confinement: Confinement) -> None:
    assert 80 < peak(measured(f"x = b'x' * 80_000_000; del x{SETTLED}", confinement)) < 80 + PYTHON_MB


@pytest.mark.usefixtures("_large")
def test_a_small_program_inside_bubblewrap_is_not_blamed_for_what_leads_there(
    tmp_path: Path, output: Output, confinement: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.processes.memory.FIRST_S", 0.0003)
    monkeypatch.setattr("flagstone.processes.memory.OF_ITS_AGE", 0)
    small = Command(("sleep", "0.1"), None, tmp_path, {"PATH": os.environ["PATH"]}, confinement=confinement)
    assert 0.3 < max(peak(run(small, ProcessLimits(), output)) for _ in range(6)) < 3


def test_a_peak_that_no_look_saw_is_told_by_the_kernel(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flagstone.processes.memory.FIRST_S", 30)
    size_mb = 200 + 2 * int(peak_mb())  # the kernel's figure says something only beyond what we ourselves take
    assert size_mb < peak(measured(f"b'x' * {size_mb}_000_000")) < size_mb + PYTHON_MB


@pytest.mark.usefixtures("_large")
def test_a_child_too_short_to_be_looked_at_has_an_unknown_peak(
    measured: Measured, confinement: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.processes.memory.FIRST_S", 30)
    assert [measured("pass", held).peak_rss_mb for held in (None, confinement)] == [None, None]


@pytest.mark.usefixtures("_large")
def test_a_child_of_82_ms_has_a_plausible_peak(shell: Callable[..., Command], output: Output) -> None:
    assert 0.3 < peak(run(shell("exec sleep 0.082"), ProcessLimits(), output)) < 5


@pytest.mark.usefixtures("_large")
def test_the_peak_of_a_function_is_what_it_added(tmp_path: Path, output: Output) -> None:
    def target() -> int:
        grown = b"x" * 60_000_000
        read = os.read(os.open("/dev/zero", os.O_RDONLY), len(grown))
        time.sleep(0.5)  # so that a look finds it, however large whoever forked it is
        return len(read) - len(grown)

    assert 55 < peak(run(Command(None, target, tmp_path, {}), ProcessLimits(), output)) < 180


def test_processes_of_a_tree_add_up(measured: Measured) -> None:
    worker = "import time; x = b'x' * 60_000_000; time.sleep(0.6)"
    two = f"import os, sys; w = [sys.executable, '-SEc', {worker!r}]; import subprocess as s; "
    assert 120 < peak(measured(two + "[p.wait() for p in [s.Popen(w), s.Popen(w)]]")) < 120 + 3 * PYTHON_MB


FORKS = "import os, time; x = b'x' * 100_000_000; [os.fork() or (time.sleep(1), os._exit(0)) for _ in range(4)]; "


def test_pages_that_workers_share_count_once(measured: Measured) -> None:
    assert 100 < peak(measured(FORKS + "time.sleep(1)")) < 200


def test_what_workers_write_counts_for_each(measured: Measured) -> None:
    work = "import os, time; [os.fork() or (b'x' * 60_000_000, time.sleep(1.5), os._exit(0)) for _ in range(3)]; "
    assert 180 < peak(measured(work + "[os.wait() for _ in range(3)]")) < 180 + 4 * PYTHON_MB


def test_a_process_on_its_way_to_another_program_is_not_counted_twice(measured: Measured, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "nobody-writes")
    # until the file opens, the new process runs in the memory of the one that starts it
    stuck = (
        "import os; x = b'x' * 100_000_000; actions = [(os.POSIX_SPAWN_OPEN, 9, 'nobody-writes', os.O_RDONLY, 0)]; "
        "os.posix_spawn('/bin/true', ['true'], {}, file_actions=actions)"
    )
    result = measured(stuck, wall_s=1.0, stop_s=0.1)
    assert result.ending == "wall"
    assert 100 < peak(result) < 150


GROWS = "x = []\nwhile True: x.append(b'x' * 1_000_000)"


def test_a_child_that_takes_too_much_is_ended(measured: Measured) -> None:
    result = measured(GROWS, memory_mb=200)
    assert (result.ending, result.exit_code) == ("memory", None)
    assert peak(result) > 200


def test_a_child_that_takes_too_much_inside_bubblewrap_is_ended(measured: Measured, confinement: Confinement) -> None:
    assert measured(GROWS, confinement, memory_mb=200).ending == "memory"


def test_a_tree_that_takes_too_much_together_is_ended(measured: Measured) -> None:
    work = "import os, time; [os.fork() or (b'x' * 60_000_000, time.sleep(9), os._exit(0)) for _ in range(3)]; "
    result = measured(work + "time.sleep(9)", memory_mb=150)
    assert (result.ending, result.survivors) == ("memory", ())


def test_a_tree_within_its_limit_is_left_alone_however_much_it_shares(measured: Measured) -> None:
    result = measured(FORKS + "time.sleep(1)", memory_mb=250)
    assert (result.ending, result.exit_code) == ("exit", 0)


def test_a_daemon_that_left_the_family_counts_as_well(measured: Measured) -> None:
    daemon = "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork(): os._exit(0)\n x = b'x' * 90_000_000"
    assert 90 < peak(measured(daemon + "\ntime.sleep(2)")) < 90 + 3 * PYTHON_MB


def test_a_long_run_is_looked_at_seldom(
    shell: Callable[..., Command], output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    look = Gauge.look
    monkeypatch.setattr(Gauge, "look", lambda gauge: looks.append(look(gauge)))
    run(shell("exec sleep 1.5"), ProcessLimits(), output)
    assert len(looks) < 40
