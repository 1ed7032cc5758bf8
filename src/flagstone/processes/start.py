"""Starts one child: own session, own pipes, a mark in its environment, and it dies with us."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from flagstone.errors import FlagstoneError
from flagstone.processes.child import Child
from flagstone.processes.command import Command
from flagstone.processes.confinement import (
    confined_environment,
    hand_on_no_handles,
    let_go_of_handles,
    needed_ruleset,
    range_closer,
    wrapped,
)
from flagstone.processes.proc import entry_of, resident_mb
from flagstone.processes.tree import MARK, Tree, fresh_stamp, put_on

PR_SET_PDEATHSIG = 1
NOT_STARTED = 127
FLAGS = os.O_CLOEXEC
# what Python, or whoever runs us, may have set differently from what a program expects
CHANGED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGCHLD,
    signal.SIGPIPE,
    signal.SIGXFSZ,
)
# handlers that must not run in a child that is not yet another program
HANDLED = (*CHANGED, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)
# a child forked by another thread between our pipe() and our close() would hold the pipe open
starting = threading.Lock()


class StartError(FlagstoneError):
    """The program is missing, or may not be run, or not there."""


@dataclass
class Pipes:
    """Both ends of everything between us and a child."""

    child_ends: list[int] = field(default_factory=list)
    our_ends: list[int] = field(default_factory=list)

    def reading(self) -> tuple[int, int]:
        """A pipe the child writes to: our end first."""
        reader, writer = os.pipe2(FLAGS)
        self.our_ends.append(reader)
        self.child_ends.append(writer)
        return reader, writer

    def writing(self, content: bytes) -> tuple[int | None, int]:
        """What the child reads from: nothing at all, or a pipe."""
        if not content:
            self.child_ends.append(os.open(os.devnull, os.O_RDONLY | FLAGS))
            return None, self.child_ends[-1]
        reader, writer = os.pipe2(FLAGS)
        self.our_ends.append(writer)
        self.child_ends.append(reader)
        return writer, reader

    def close(self, ends: list[int]) -> None:
        while ends:
            os.close(ends.pop())


def start(command: Command, *, is_merged: bool) -> Child:
    """The child of a command; StartError where there can be none."""
    prepare()
    with starting:
        birth, pipes = born(command), Pipes()
        try:
            child = forked(command, pipes, birth, is_merged)
        except BaseException:
            pipes.close(pipes.our_ends)
            raise
        finally:
            pipes.close([*pipes.child_ends, *([] if birth.ruleset is None else [birth.ruleset])])
    return child


@dataclass(frozen=True)
class Birth:
    """What a child needs to know of its parent, and what it is held to."""

    parent: int
    mark: str
    stamp: int
    program: str
    argv: tuple[str, ...]
    ruleset: int | None
    ignored: tuple[signal.Signals, ...]


def born(command: Command) -> Birth:
    """Everything that can go wrong with a confinement goes wrong here, where it can still be said."""
    ruleset = None
    try:
        ruleset = needed_ruleset(command)
        mark, stamp = os.urandom(16).hex(), fresh_stamp(command.owner)
        argv = wrapped(command, ruleset)
        program = found(argv[0], command.env.get("PATH", os.defpath)) if argv else ""
        ignored = tuple(number for number in CHANGED if signal.getsignal(number) is signal.SIG_IGN)
        return Birth(os.getpid(), mark, stamp, program, argv, ruleset, ignored)
    except OSError as error:
        if ruleset is not None:
            os.close(ruleset)
        raise cannot_start(command, told(error)) from error


def found(name: str, folders: str) -> str:
    """Where a program lies: looked for by us, since every page that a forked child touches is copied for it."""
    if "/" in name:
        return name
    for folder in folders.split(os.pathsep):
        if not folder.startswith("/"):
            return name  # looked for from the folder of the child
        path = f"{folder}/{name}"
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return name


def cannot_start(command: Command, problem: str) -> StartError:
    return StartError(f"cannot start {command.title}: {problem}", hint="install it, or correct its path")


def forked(command: Command, pipes: Pipes, birth: Birth, is_merged: bool) -> Child:
    stdin, child_stdin = pipes.writing(command.stdin)
    stdout, child_stdout = pipes.reading()
    stderr, child_stderr = (None, child_stdout) if is_merged else pipes.reading()
    trouble, report = os.pipe2(FLAGS)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    ours_mb, began = resident_mb(os.getpid()), time.monotonic()
    try:
        pid = os.fork()
        if pid == 0:
            become(command, (child_stdin, child_stdout, child_stderr), birth, report)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(report)
    with os.fdopen(trouble, "rb") as stream:
        problem = stream.read().decode(errors="replace")
    if problem:
        os.waitpid(pid, 0)
        raise cannot_start(command, problem)
    for handle in pipes.our_ends:
        os.set_blocking(handle, False)
    entry = entry_of(pid)
    tree = Tree(pid, f"//{birth.mark}", entry.started_ticks if entry else 0, range(birth.stamp, birth.stamp + 1))
    return Child(
        pid=pid,
        pidfd=os.pidfd_open(pid),
        tree=tree,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        began=began,
        argv=birth.argv,
        own_words=len(command.argv or ()),
        ours_mb=ours_mb,
        inherited_mb=entry.resident_mb if entry and command.target else 0.0,
    )


def become(command: Command, streams: tuple[int, int, int], birth: Birth, trouble: int) -> NoReturn:
    """The child's side of the fork; it never returns into our code."""
    status = NOT_STARTED  # known from the start: whatever fails below, leaving must not
    try:
        settle(command, streams, birth)
        variables = environment(command, birth.mark)
        if command.target is None:
            hand_on_no_handles()
        confine(command, birth)
        if command.target is None:
            execute(birth.program, birth.argv, variables)
        os.close(trouble)
        if command.confinement:
            let_go_of_handles()
        starting.release()  # held by the thread that forked, of which this is the copy: the function may start others
        status = answered(command.target, variables)
    except BaseException as error:
        report(trouble, error)
    finally:
        os._exit(status)


def settle(command: Command, streams: tuple[int, int, int], birth: Birth) -> None:
    os.setsid()
    # a handler ends with the program that has it; a function of ours goes on in this one
    for number in CHANGED if command.target else birth.ignored:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    die_with_parent()
    if os.getppid() != birth.parent:
        os._exit(NOT_STARTED)
    put_on(birth.stamp)
    for stream, handle in enumerate(streams):
        os.dup2(handle, stream)
    os.chdir(command.cwd)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def confine(command: Command, birth: Birth) -> None:
    """Holds this child to its confinement, as far as bubblewrap does not."""
    if birth.ruleset is None:
        return
    if birth.argv == (command.argv or ()):
        from flagstone.processes.confinement import landlock

        landlock.restrict(birth.ruleset)
        return
    # bubblewrap has to mount first, and hands it on; a request to stop is for the program, not for bubblewrap
    os.set_inheritable(birth.ruleset, True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def environment(command: Command, mark: str) -> dict[str, str]:
    """The command's environment with our mark added to those of the runs around us."""
    return {**confined_environment(command), MARK: f"{os.environ.get(MARK, '')}:{command.owner}//{mark}"}


def execute(program: str, argv: tuple[str, ...], variables: dict[str, str]) -> NoReturn:
    try:
        os.execvpe(program, argv, variables)
    except OSError as error:
        # it would name the last folder of PATH
        raise OSError(error.errno, error.strerror) from None


def answered(target: Callable[[], int], variables: dict[str, str]) -> int:
    """Runs the function with streams of its own: ours may hold text that is not yet written."""
    inherited = (sys.stdin, sys.stdout, sys.stderr)
    os.environ.clear()
    os.environ.update(variables)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", errors="replace", closefd=False) for number, mode in enumerate("rww")
    )
    try:
        status = target()
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    del inherited
    return status & 0xFF


def report(handle: int, error: BaseException) -> None:
    os.write(handle, told(error).encode("utf-8", "replace")[:4096])


def told(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return repr(error)
    return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)


def die_with_parent() -> None:
    process_control()(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


@cache
def process_control() -> Callable[..., Any]:
    """prctl, or a stand-in that does nothing where there is none."""
    import ctypes  # here, not above: loading it costs more than all of this module

    return getattr(ctypes.CDLL(None), "prctl", lambda *_: 0)


def prepare() -> None:
    """Loads what the child needs while we may still load something."""
    import resource  # noqa: F401

    process_control()
    range_closer()
