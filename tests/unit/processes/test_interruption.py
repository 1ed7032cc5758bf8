"""Many runs, in as many threads, and one request that stops them all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from flagstone.errors import Interrupted
from flagstone.processes import Command, Interruption, Output, ProcessLimits, ProcessResult, run
from flagstone.processes.proc import process_table
from flagstone.processes.running import RunningChild

Shell = Callable[..., Command]
RUNS = 3
OBEDIENT = "trap 'echo goodbye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
DEAF = "trap '' TERM; echo ready; while :; do sleep 0.01; done"
PATIENT = ProcessLimits(wall_s=20, stop_s=20)


@pytest.fixture
def sigint_ignored() -> Iterator[None]:
    """As in a process that cron, or a script in its background, has started."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def children_of_this_process() -> list[int]:
    return [entry.pid for entry in process_table(0) if entry.parent == os.getpid()]


class Runs:
    """Several runs of one command at once, and what is done when all of them are under way."""

    def __init__(self, command: Command, folder: Path, when_ready: Callable[[], object]) -> None:
        self.command, self.folder, self.when_ready = command, folder, when_ready
        self.ready = threading.Barrier(RUNS, action=when_ready)

    def in_threads(self, interruption: Interruption | None) -> list[BaseException | None]:
        with ThreadPoolExecutor(RUNS) as pool:
            futures = [pool.submit(self.one, number, interruption) for number in range(RUNS)]
            return [future.exception() for future in futures]

    def one(self, number: int, interruption: Interruption | None) -> ProcessResult:
        output = Output(self.folder / f"{number}.log")
        return run(self.command, PATIENT, output, self.heard, interruption=interruption)

    def heard(self, line: bytes) -> None:
        if line == b"ready":
            self.ready.wait(30)


def test_one_signal_stops_every_run_of_every_thread(shell: Shell, tmp_path: Path) -> None:
    with Interruption() as interruption:
        runs = Runs(shell(OBEDIENT), tmp_path, lambda: os.kill(os.getpid(), signal.SIGTERM))
        ended = runs.in_threads(interruption)
    assert [type(error) for error in ended] == [Interrupted] * RUNS
    assert "a signal asked for it" in str(ended[0])
    assert {(tmp_path / f"{number}.log").read_text().splitlines()[-1] for number in range(RUNS)} == {"goodbye"}
    assert children_of_this_process() == []


def test_runs_that_were_not_handed_the_request_stop_with_it_too(shell: Shell, tmp_path: Path) -> None:
    with Interruption():
        ended = Runs(shell(OBEDIENT), tmp_path, lambda: os.kill(os.getpid(), signal.SIGINT)).in_threads(None)
    assert [type(error) for error in ended] == [Interrupted] * RUNS


@pytest.mark.usefixtures("sigint_ignored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_stops_runs_where_sigint_was_inherited_as_ignored(
    shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    with Interruption() as interruption:
        runs = Runs(shell(OBEDIENT), tmp_path, lambda: os.kill(os.getpid(), number))
        ended = runs.in_threads(interruption)
    assert [type(error) for error in ended] == [Interrupted] * RUNS
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_second_signal_waits_for_none_of_them(shell: Shell, tmp_path: Path) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    with Interruption() as interruption:
        # they ignore the request and would have a minute: whoever waited would run into the time limit of the test
        ended = Runs(shell(DEAF), tmp_path, twice).in_threads(interruption)
        assert interruption.is_urgent
    assert [type(error) for error in ended] == [Interrupted] * RUNS
    assert children_of_this_process() == []


def test_we_can_ask_all_runs_to_stop_without_any_signal(shell: Shell, tmp_path: Path) -> None:
    with Interruption() as interruption:
        asked = Runs(shell(OBEDIENT), tmp_path, lambda: interruption.ask(reason="the budget is used up"))
        ended = asked.in_threads(interruption)
        assert not interruption.is_urgent
    assert [str(error).splitlines()[0] for error in ended] == ["stopped sh, because the budget is used up"] * RUNS


def test_asking_again_is_no_more_urgent_unless_it_is_said(shell: Shell, tmp_path: Path) -> None:
    with Interruption() as interruption:
        interruption.ask()
        interruption.ask()
        assert not interruption.is_urgent
        interruption.ask(is_urgent=True)
        assert interruption.is_urgent


def test_nothing_is_started_once_the_request_has_come(shell: Shell, tmp_path: Path, output: Output) -> None:
    with Interruption() as interruption:
        interruption.ask()
        with pytest.raises(Interrupted, match="did not start"):
            run(shell("touch started"), ProcessLimits(), output, interruption=interruption)
    assert not (tmp_path / "started").exists()


def test_a_request_from_before_it_was_entered_is_not_forgotten(shell: Shell, output: Output) -> None:
    interruption = Interruption()
    interruption.ask()
    with interruption, pytest.raises(Interrupted):
        run(shell("exec sleep 30"), ProcessLimits(), output)


def test_waiting_for_a_child_that_does_not_listen_keeps_no_core_busy(
    shell: Shell, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = []
    turn = RunningChild.turn
    monkeypatch.setattr(RunningChild, "turn", lambda watch, deadline: turns.append(turn(watch, deadline)))
    with Interruption() as interruption, pytest.raises(Interrupted):
        command, limits = shell("trap '' TERM; echo ready; sleep 1"), ProcessLimits(stop_s=60)
        run(command, limits, output, lambda _: interruption.ask(), interruption=interruption)
    assert len(turns) < 100


def test_the_requests_of_a_process_are_not_those_of_its_forked_child(
    shell: Shell, tmp_path: Path, output: Output
) -> None:
    inner = shell("exit 6")

    def target() -> int:
        return run(inner, PATIENT, output).exit_code or 0 if Interruption.of_this_process() is None else 1

    with Interruption():
        assert run(Command(None, target, tmp_path, {}), PATIENT, Output(tmp_path / "outer")).exit_code == 6


def test_handlers_and_handles_are_given_back(shell: Shell, output: Output) -> None:
    before, handles = signal.getsignal(signal.SIGTERM), os.listdir("/proc/self/fd")
    with Interruption() as interruption:
        run(shell("exec true"), ProcessLimits(), output, interruption=interruption)
    assert signal.getsignal(signal.SIGTERM) is before
    assert os.listdir("/proc/self/fd") == handles
    assert Interruption.of_this_process() is None
    interruption.ask()


def test_a_pool_that_starts_and_ends_threads_loses_no_child(shell: Shell, tmp_path: Path) -> None:
    def one(number: int) -> ProcessResult:
        return run(shell("sleep 0.05; exit 4"), PATIENT, Output(tmp_path / f"{number}.log"))

    def in_a_thread_of_its_own(number: int) -> Future[ProcessResult]:
        future: Future[ProcessResult] = Future()
        threading.Thread(target=lambda: future.set_result(one(number))).start()
        return future

    # the kernel ends a child with the thread that started it, also while other threads go on
    assert {each.result(30).exit_code for each in map(in_a_thread_of_its_own, range(12))} == {4}
    with ThreadPoolExecutor(3) as pool:
        assert {result.exit_code for result in pool.map(one, range(12))} == {4}
