"""A child is run within its limits, and nothing of it stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, StartError, run
from flagstone.processes.proc import process_table

Ran = Callable[..., ProcessResult]
Shell = Callable[..., Command]


def children_of_this_process() -> list[int]:
    return [entry.pid for entry in process_table(0) if entry.parent == os.getpid()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def eventually(condition: Callable[[], bool], limit_s: float = 300) -> bool:
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_the_exit_code_and_both_streams_are_kept(ran: Ran, output: Output) -> None:
    result = ran("echo said; echo complained >&2; exit 7")
    assert (result.exit_code, result.signal, result.ending) == (7, None, "exit")
    assert output.stdout.read_text() == "said\n"
    assert output.stderr is not None
    assert output.stderr.read_text() == "complained\n"


def test_without_a_second_file_both_streams_share_the_first(shell: Shell, tmp_path: Path) -> None:
    run(shell("echo one; echo two >&2"), ProcessLimits(), Output(tmp_path / "both.log"))
    assert (tmp_path / "both.log").read_text() == "one\ntwo\n"


def test_a_signal_that_ended_the_child_is_told_apart_from_an_exit_code(ran: Ran) -> None:
    result = ran("kill -9 $$")
    assert (result.exit_code, result.signal) == (None, signal.SIGKILL)


def test_a_child_that_takes_82_ms_is_recorded_with_about_82_ms(ran: Ran) -> None:
    # on a quiet machine it is 0.083; whoever polled once a second would be found on a busy one too
    assert 0.08 <= min(ran("exec sleep 0.082").wall_s for _ in range(5)) < 0.5


def test_stdin_is_empty_unless_bytes_are_given(ran: Ran, output: Output) -> None:
    ran("wc -c")
    assert output.stdout.read_text().strip() == "0"


def test_much_input_reaches_a_child_that_answers_meanwhile(shell: Shell, output: Output) -> None:
    run(shell("tee /dev/stderr", stdin=b"line\n" * 200_000), ProcessLimits(), output)
    assert output.stdout.stat().st_size == 1_000_000


def test_a_child_that_does_not_read_its_input_is_no_error(shell: Shell, output: Output) -> None:
    assert run(shell("exec true", stdin=b"x" * 1_000_000), ProcessLimits(), output).exit_code == 0


def test_a_child_that_takes_too_long_is_ended(ran: Ran) -> None:
    result = ran("exec sleep 600", wall_s=0.05)
    assert result.timed_out
    assert result.signal == signal.SIGTERM
    assert 0.05 <= result.wall_s < 600


def test_a_child_that_will_not_listen_is_killed(ran: Ran) -> None:
    result = ran("trap '' TERM; while :; do sleep 0.01; done", wall_s=0.05, stop_s=0.1)
    assert result.signal == signal.SIGKILL
    assert result.survivors == ()


def test_a_silent_child_is_ended_and_a_talking_one_is_not(ran: Ran) -> None:
    assert ran("echo once; exec sleep 20", silence_s=0.05).is_silent
    assert not ran("for i in 1 2 3 4 5 6; do echo $i; sleep 0.25; done", silence_s=1.2).is_silent


def test_a_child_that_waits_for_what_it_has_started_is_not_silent_while_that_works(ran: Ran) -> None:
    waits = {"silence_s": 1.0, "may_wait_for_children": True}
    spinning = "(while :; do :; done) & other=$!; sleep 3; kill $other"
    assert ran(spinning, **waits).ending == "exit"
    assert ran(spinning, silence_s=1.0).is_silent
    starting = "for i in $(seq 12); do sleep 0.6 & sleep 0.25; done; wait"  # at each look, one is new
    assert ran(starting, **waits).ending == "exit"


@pytest.mark.parametrize("line", ["sleep 20 & wait", "while :; do :; done"], ids=["a sleeper", "its own work"])
def test_a_child_is_silent_if_nothing_that_it_has_started_works(ran: Ran, line: str) -> None:
    assert ran(line, silence_s=0.6, may_wait_for_children=True).is_silent


def test_a_child_may_be_silent_as_long_as_the_caller_says_so(shell: Shell, output: Output) -> None:
    lines: list[bytes] = []
    limits = ProcessLimits(silence_s=0.3, stop_s=0.3, may_be_silent=lambda: lines == [b"working"])
    result = run(shell("echo working; sleep 1; echo done; exec sleep 20"), limits, output, lines.append)
    assert (lines, result.ending) == ([b"working", b"done"], "silence")


def test_after_its_result_a_child_has_only_the_grace_left(shell: Shell, output: Output) -> None:
    limits = ProcessLimits(wall_s=600, grace_s=0.05, stop_s=0.2)
    result = run(shell("echo working; echo done; exec sleep 600"), limits, output, lambda line: line == b"done")
    assert result.ending == "grace"


def test_grandchildren_in_sessions_of_their_own_are_ended_too(ran: Ran, output: Output) -> None:
    ran("(setsid sleep 30 & echo $!) ; (sleep 30 & echo $!)")
    pids = [int(pid) for pid in output.stdout.read_text().split()]
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)


def test_a_grandchild_that_ignores_the_request_and_left_its_family_is_killed(ran: Ran, output: Output) -> None:
    ran("setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.02; done' & while ! [ -s log/out.log ]; do :; done")
    assert not is_running(int(output.stdout.read_text()))


# in a session of its own, handed to another parent, and without our mark in its environment
DAEMON = "(setsid env -i {sleep} 30 & echo $!)"


def test_a_daemon_that_shook_off_everything_is_ended_and_reported(ran: Ran, output: Output) -> None:
    result = ran(DAEMON.format(sleep=shutil.which("sleep")))
    pid = int(output.stdout.read_text())
    assert not is_running(pid)
    assert [process.pid for process in result.ended_stragglers] == [pid]
    assert (result.exit_code, result.survivors) == (0, ())


def test_a_servant_that_ends_a_moment_after_the_child_is_no_straggler(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.processes.running.SETTLE_S", 20)
    assert ran("sleep 0.05 & exit 0").ended_stragglers == ()


def test_what_was_ended_with_the_child_is_no_straggler(ran: Ran) -> None:
    assert ran("setsid sleep 30 & exec sleep 30", wall_s=0.05).ended_stragglers == ()


def test_the_last_words_of_a_grandchild_are_still_heard(ran: Ran, output: Output) -> None:
    grandchild = "trap 'echo bye; exit' TERM; touch ready; while :; do sleep 0.01; done"
    ran(f'sh -c "{grandchild}" & while ! [ -e ready ]; do :; done')
    assert "bye" in output.stdout.read_text()


def test_nothing_of_a_child_stays_in_our_process(ran: Ran) -> None:
    handles = os.listdir("/proc/self/fd")
    ran("exec true")
    ran("exec sleep 20", wall_s=0.01)
    assert os.listdir("/proc/self/fd") == handles
    assert children_of_this_process() == []


def test_a_program_that_is_missing_is_named(tmp_path: Path, output: Output) -> None:
    with pytest.raises(StartError, match="cannot start no-such-program: No such file"):
        run(Command(("no-such-program",), None, tmp_path, {}), ProcessLimits(), output)
    assert children_of_this_process() == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path, output: Output) -> None:
    with pytest.raises(FlagstoneError, match="nowhere"):
        run(Command(("true",), None, tmp_path / "nowhere", {}), ProcessLimits(), output)


def test_a_log_that_cannot_be_written_ends_the_child(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkFailed, match="cannot write"):
        run(shell("exec sleep 20"), ProcessLimits(), Output(tmp_path / "file" / "out.log"))
    assert children_of_this_process() == []


def test_a_listener_that_fails_ends_the_child_and_its_error_is_seen(shell: Shell, output: Output) -> None:
    def fails(line: bytes) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError):
        run(shell("echo hello; exec sleep 20"), ProcessLimits(), output, fails)
    assert children_of_this_process() == []


def test_a_command_is_either_a_program_or_a_function(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either"):
        Command(None, None, tmp_path, {})


def test_a_function_runs_in_a_child_with_its_own_streams_and_environment(tmp_path: Path, output: Output) -> None:
    def target() -> int:
        sys.stdout.write(f"{os.environ['COLOUR']} {os.getsid(0) == os.getpid()} {os.getcwd()}\n")
        sys.stdout.write(f"{sorted(os.environ)}\n")
        os.environ["LEAKED"] = "no"
        return 5

    result = run(Command(None, target, tmp_path, {"COLOUR": "blue"}), ProcessLimits(), output)
    assert result.exit_code == 5
    assert output.stdout.read_text() == f"blue True {tmp_path}\n['COLOUR', 'FLAGSTONE_PROCESS']\n"
    assert "LEAKED" not in os.environ


def test_a_function_that_fails_leaves_its_traceback(tmp_path: Path, output: Output) -> None:
    def target() -> int:
        raise LookupError("lost")

    assert run(Command(None, target, tmp_path, {}), ProcessLimits(), output).exit_code == 1
    assert output.stderr is not None
    assert output.stderr.read_text().endswith("LookupError: lost\n")


def test_a_function_that_leaves_with_sys_exit_leaves_with_that_code(tmp_path: Path, output: Output) -> None:
    assert run(Command(None, lambda: sys.exit(4), tmp_path, {}), ProcessLimits(), output).exit_code == 4


def test_a_function_that_cannot_even_fail_properly_never_returns_into_our_code(tmp_path: Path, output: Output) -> None:
    def target() -> int:
        sys.stdout.write("this cannot be written any more")
        os.close(1)
        return 0

    result = run(Command(None, target, tmp_path, {}), ProcessLimits(wall_s=2), output)
    assert (result.exit_code, result.ending) == (127, "exit")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_asks_the_child_to_stop_and_is_then_raised(
    number: signal.Signals, shell: Shell, output: Output
) -> None:
    before = signal.getsignal(number)

    def interrupts(line: bytes) -> None:
        os.kill(os.getpid(), number)

    line = "trap 'echo goodbye >&2; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
    with pytest.raises(Interrupted, match="a signal asked"):
        run(shell(line), ProcessLimits(wall_s=5, stop_s=2), output, interrupts)
    assert output.stderr is not None
    assert output.stderr.read_text().endswith("goodbye\n")
    assert signal.getsignal(number) is before
    assert children_of_this_process() == []


def test_a_hangup_that_nohup_ignores_stays_ignored(shell: Shell, output: Output) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        result = run(shell("echo on"), ProcessLimits(), output, lambda _: os.kill(os.getpid(), signal.SIGHUP))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert result.exit_code == 0


def test_a_second_signal_does_not_wait_for_the_child(shell: Shell, output: Output) -> None:
    def interrupts(line: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    ended = output.stdout.with_name("ended")
    line = f"trap 'echo asked' TERM; echo ready; for _ in $(seq 1000); do sleep 0.01; done; touch {ended}"
    with pytest.raises(Interrupted):
        run(shell(line), ProcessLimits(wall_s=60, stop_s=60), output, interrupts)
    assert not ended.exists()


def test_a_child_is_run_from_another_thread_as_well(ran: Ran) -> None:
    results: list[ProcessResult] = []
    thread = threading.Thread(target=lambda: results.append(ran("exit 3")))
    thread.start()
    thread.join()
    assert results[0].exit_code == 3


def test_when_we_die_the_child_dies(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from flagstone.processes import Command, Output, ProcessLimits, run\n"
        "here = Path(sys.argv[1])\n"
        "run(Command(('sh', '-c', 'echo $$; exec sleep 3600'), None, here, dict(os.environ)),"
        " ProcessLimits(), Output(here / 'log'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) as parent:
        log = tmp_path / "log"
        assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        child = int(log.read_text())
        assert is_running(child)
        parent.kill()
    assert eventually(lambda: not is_running(child))
