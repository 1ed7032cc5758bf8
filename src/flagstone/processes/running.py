"""Runs one child to its end: its output, its clock, and the whole tree gone afterwards."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from math import inf

from flagstone.errors import Interrupted
from flagstone.processes import gpu
from flagstone.processes.child import Child, WorkOfChildren, has_worked
from flagstone.processes.command import Command, EndCause, Output, ProcessLimits, ProcessResult
from flagstone.processes.interruption import Interruption
from flagstone.processes.memory import Gauge
from flagstone.processes.output import Capture, captures_of, close_captures
from flagstone.processes.secrets import Redactor
from flagstone.processes.start import SandboxError, refuse_failed_sandbox, start
from flagstone.processes.tree import Survivor, signal_all, wait_for

KILLED_S = 5.0
DRAIN_S = 1.0
SETTLE_S = 0.25
STATUS_BYTES = 4096


def run(
    command: Command,
    limits: ProcessLimits,
    output: Output,
    on_line: Callable[[bytes], object] | None = None,
    *,
    interruption: Interruption | None = None,
) -> ProcessResult:
    """Runs a command to its end and leaves nothing of it behind.

    `on_line` sees every redacted line of stdout; once it answers True the result has come, and the
    child has `limits.grace_s` left. Raises Interrupted when a signal, or whoever holds the
    `interruption`, asked us to stop; without one it is whichever this process has entered.

    If bubblewrap fails to start the program, it is tried once more, and then SandboxError says why.

    May be called from several threads at once. The kernel ends a child when the thread that started
    it ends; that thread stays in this call until the child has ended, so no pool can lose one.
    """
    try:
        return run_once(command, limits, output, on_line, interruption)
    except SandboxError:  # nothing of the program has run
        return run_once(command, limits, output, on_line, interruption)


def run_once(
    command: Command,
    limits: ProcessLimits,
    output: Output,
    on_line: Callable[[bytes], object] | None,
    interruption: Interruption | None,
) -> ProcessResult:
    shared = interruption or Interruption.of_this_process()
    with nullcontext(shared) if shared else Interruption(is_shared=False) as asking:
        if asking.is_asked:
            raise interruption_error(command, asking, "did not start")
        if limits.watches_gpu:
            gpu.library()  # it takes its time to start: before the child's clock runs
        running = RunningChild(start(command, is_merged=output.stderr is None), limits, asking)
        try:
            running.listen(command, output, on_line)
            ending = running.wait()
        except BaseException:
            running.abandon()
            raise
        finally:
            running.close()
        if asking.is_asked:
            raise interruption_error(command, asking, "stopped")
    if ending == "exit" and running.has_failed_to_start:
        refuse_failed_sandbox(output.stderr or output.stdout)
    return running.result(ending)


def interruption_error(command: Command, asking: Interruption, what: str) -> Interrupted:
    return Interrupted(
        f"{what} {command.title}, because {asking.reason}", hint="run the same command again to continue"
    )


class RunningChild:
    """One running child."""

    def __init__(self, child: Child, limits: ProcessLimits, interruption: Interruption) -> None:
        self.child = child
        self.limits = limits
        self.is_asked = self.is_urgent = False
        self.began = self.heard = child.began
        self.finished = self.exited = inf
        self.captures: list[Capture] = []
        self.stdin, self.unwritten = child.stdin, memoryview(b"")
        self.survivors: tuple[Survivor, ...] = ()
        self.stragglers: tuple[Survivor, ...] = ()
        self.status: int | None = None
        self.has_failed_to_start = False
        self.work: WorkOfChildren | None = None
        self.gauge = Gauge(child, limits)
        self.selector = selectors.DefaultSelector()
        self.selector.register(child.pidfd, selectors.EVENT_READ, self.note_exit)
        self.selector.register(interruption.reader, selectors.EVENT_READ, interruption.hear)
        # each is forgotten once it was heard: it stays readable, for the other runs that wait for it
        self.selector.register(interruption.asked, selectors.EVENT_READ, self.note_asked)
        self.selector.register(interruption.urgent, selectors.EVENT_READ, self.note_urgent)
        self.interruption = interruption

    def listen(self, command: Command, output: Output, on_line: Callable[[bytes], object] | None) -> None:
        """Connects the child's pipes with their files."""
        redactor = Redactor.of(os.environ, command.env, secret=command.secret)
        self.captures += captures_of(self.child.stdout, self.child.stderr, output, self.limits, redactor)
        for capture in self.captures:
            self.selector.register(capture.fd, selectors.EVENT_READ, capture)
            capture.on_line = on_line if capture.file is self.captures[0].file else None
        if self.stdin is not None and isinstance(command.stdin, bytes):
            self.unwritten = memoryview(command.stdin)
            self.selector.register(self.stdin, selectors.EVENT_WRITE, self.feed)

    def wait(self) -> EndCause:
        """Until the child has ended, or had to be ended."""
        ending: EndCause = "exit"
        while self.exited == inf and not self.is_asked:
            ending, deadline = self.next_deadline()
            if time.monotonic() >= deadline and not (ending == "silence" and self.is_waiting_for_children()):
                break
            if time.monotonic() >= self.gauge.due and (passed := self.gauge.look()):
                ending = passed
                break
            self.turn(min(deadline, self.gauge.due))
            ending = "exit"
        self.stop()
        return ending

    def next_deadline(self) -> tuple[EndCause, float]:
        limits = self.limits
        if self.finished < inf:
            return "grace", self.finished + limits.grace_s
        deadlines: list[tuple[float, EndCause]] = [(inf, "exit")]
        if limits.wall_s is not None:
            deadlines.append((self.began + limits.wall_s, "wall"))
        if limits.silence_s is not None and not limits.may_be_silent():
            is_first_look = limits.may_wait_for_children and self.work is None
            deadlines.append((self.heard + limits.silence_s / (2 if is_first_look else 1), "silence"))
        deadline, ending = min(deadlines)
        return ending, deadline

    def is_waiting_for_children(self) -> bool:
        """Whether a silence does not count, because what the child has started works. The first look is half-way."""
        if not self.limits.may_wait_for_children or self.limits.silence_s is None:
            return False
        before, self.work = self.work, self.child.work_of_children()
        half_s = self.limits.silence_s / 2
        if before is not None and not has_worked(before, self.work, half_s):
            return False
        self.heard = time.monotonic() - half_s
        return True

    def turn(self, deadline: float) -> None:
        """Waits for whatever comes first, and takes it."""
        timeout = None if deadline == inf else max(0.0, deadline - time.monotonic())
        for key, _ in self.selector.select(timeout):
            if isinstance(key.data, Capture):
                self.take(key.data)
            else:
                key.data()

    def take(self, capture: Capture) -> bool:
        """Reads once from a stream; False where nothing came."""
        came = capture.read()
        if came is None:
            self.selector.unregister(capture.fd)
        elif came:
            self.heard, self.work = time.monotonic(), None
        if capture.is_finished:
            self.finished = min(self.finished, self.heard)
        return bool(came)

    def feed(self) -> None:
        """Writes to the child what fits; a child that does not read to the end is no error."""
        assert self.stdin is not None
        try:
            self.unwritten = self.unwritten[os.write(self.stdin, self.unwritten) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.unwritten = memoryview(b"")
        if not self.unwritten:
            self.selector.unregister(self.stdin)
            os.close(self.stdin)
            self.stdin = None

    def note_exit(self) -> None:
        self.exited = time.monotonic()
        self.selector.unregister(self.child.pidfd)

    def note_asked(self) -> None:
        self.is_asked = True
        self.selector.unregister(self.interruption.asked)

    def note_urgent(self) -> None:
        self.is_urgent = True
        self.selector.unregister(self.interruption.urgent)

    def stop(self) -> None:
        """Asks, waits, kills; then ends what else the child has started."""
        if self.exited < inf and not self.child.is_wrapped:
            # some servants notice only afterwards that the child is gone, and end by themselves
            members = self.child.tree.members()
            left = wait_for(members, SETTLE_S) if members else ()
            self.survivors = self.child.tree.end(is_urgent=self.is_urgent) if members else ()
            self.stragglers = tuple(process for process in left if process not in self.survivors)
        else:
            self.end_child()
            self.survivors = self.child.tree.end(is_urgent=self.is_urgent)
        self.drain()

    def end_child(self) -> None:
        """Asks the child to end, if it still runs, and kills it if it does not."""
        if self.exited == inf:
            self.signal_group(signal.SIGTERM)
            self.wait_for_exit(self.limits.stop_s, is_patient=True)
        if self.exited == inf:
            self.signal_group(signal.SIGKILL)
            self.wait_for_exit(KILLED_S, is_patient=False)

    def abandon(self) -> None:
        """Stops the child without showing anyone what it still says."""
        for capture in self.captures:
            capture.on_line = None
        self.stop()

    def wait_for_exit(self, limit_s: float, *, is_patient: bool) -> None:
        """Until the child has ended; patience is over once a second signal, or an urgent request, came."""
        end = time.monotonic() + limit_s
        while self.exited == inf and time.monotonic() < end and not (is_patient and self.is_urgent):
            self.turn(end)

    def signal_group(self, number: signal.Signals) -> None:
        if self.child.is_wrapped and number == signal.SIGTERM:
            # bubblewrap would end at once, and with it all that is in it
            around = self.child.bubblewrap_pids()
            inside = [process for process in self.child.tree.members() if process.pid not in around]
            if inside:
                signal_all(inside, number)
                return
        # the child has not been waited for, so its number is still its own
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, number)

    def drain(self) -> None:
        """Takes what is still in the pipes; a survivor that goes on writing does not hold us."""
        end = time.monotonic() + DRAIN_S
        for capture in self.captures:
            while capture.fd in self.selector.get_map() and self.take(capture) and time.monotonic() < end:
                continue

    def close(self) -> None:
        """Closes everything and takes the child's last report."""
        close_captures(self.captures)
        self.selector.close()
        if self.child.started is not None:
            with suppress(BlockingIOError):
                self.has_failed_to_start = b"exit-code" not in os.read(self.child.started, STATUS_BYTES)
        ends = (self.child.started, self.child.stdout, self.child.stderr, self.stdin, self.child.pidfd)
        for handle in (end for end in ends if end is not None):
            os.close(handle)
        # only now: until it is waited for, its number cannot become another process's
        with suppress(ChildProcessError):
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                self.status = status
                self.gauge.memory.report_highest(usage.ru_maxrss * 1024 / 1_000_000)

    def result(self, ending: EndCause) -> ProcessResult:
        """How the child ended."""
        status = self.status
        return ProcessResult(
            exit_code=os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            signal=os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            ending=ending,
            wall_s=min(self.exited, time.monotonic()) - self.began,
            peak_rss_mb=self.gauge.peak_rss_mb,
            peak_gpu_mb=self.gauge.peak_gpu_mb,
            survivors=self.survivors,
            output_bytes=sum(capture.size for capture in self.captures),
            output_truncated=any(capture.is_truncated for capture in self.captures),
            ended_stragglers=self.stragglers,
            is_copy_whole=all(capture.copy is None or capture.copy.is_whole for capture in self.captures),
        )
