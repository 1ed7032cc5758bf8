"""A child that begins as a copy of this process: for functions, and for programs that no launcher can start."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from flagstone.processes.command import Command
from flagstone.processes.confinement import blank_handles, close_handles_on_exec, range_closer
from flagstone.processes.tool import starting
from flagstone.processes.tree import set_tag

PR_SET_PDEATHSIG = 1
NOT_STARTED = 127
# what Python, or whoever runs us, may have set differently from what a program expects
CHANGED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ)
# handlers that must not run in a child that is not yet another program
HANDLED = (*CHANGED, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)
Streams = tuple[int, int, int]


@dataclass(frozen=True)
class Birth:
    """What a child needs to know of its parent, and what it is held to.

    `argv` is the program with the sandbox around it; `launcher` what starts it, () if it is forked. To `started`
    bubblewrap writes how the program ended; it closes it before it starts the program.
    """

    parent: int
    mark: str
    tag: int
    argv: tuple[str, ...]
    launcher: tuple[str, ...]
    variables: Mapping[str, str]
    ruleset: int | None
    started: int | None = None


def fork_child(command: Command, streams: Streams, birth: Birth) -> int:
    """Forks, and lets the copy become the child; its number. Raises OSError if it cannot."""
    load_for_child()
    trouble, report = os.pipe2(os.O_CLOEXEC)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            become(command, streams, birth, report)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(report)
    with os.fdopen(trouble, "rb") as stream:
        problem = stream.read().decode(errors="replace")
    if problem:
        os.waitpid(pid, 0)
        raise OSError(0, problem)
    return pid


def become(command: Command, streams: Streams, birth: Birth, trouble: int) -> NoReturn:
    """The child's side of the fork; it never returns into our code."""
    status = NOT_STARTED  # known from the start: whatever fails below, leaving must not
    try:
        settle(command, streams, birth)
        if command.target is None:
            close_handles_on_exec()
        if birth.ruleset is not None:
            from flagstone.processes.confinement import landlock

            landlock.restrict(birth.ruleset)
        if command.target is None:
            execute(birth.argv, birth.variables)
        os.close(trouble)
        if command.confinement:
            blank_handles()
        starting.release()  # held by the thread that forked, of which this is the copy: the function may start others
        status = exit_code_of(command.target, birth.variables)
    except BaseException as error:
        os.write(trouble, error_text(error).encode("utf-8", "replace")[:4096])
    finally:
        os._exit(status)


def settle(command: Command, streams: Streams, birth: Birth) -> None:
    os.setsid()
    # a handler ends with the program that has it; a function of ours goes on in this one
    for number in CHANGED:
        if command.target or signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    die_with_parent()
    if os.getppid() != birth.parent:
        os._exit(NOT_STARTED)
    set_tag(birth.tag)
    for stream, handle in enumerate(streams):
        os.dup2(handle, stream)
    os.chdir(command.cwd)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def execute(argv: tuple[str, ...], variables: Mapping[str, str]) -> NoReturn:
    try:
        os.execvpe(argv[0], argv, variables)
    except OSError as error:
        # it would name the last folder of PATH
        raise OSError(error.errno, error.strerror) from None


def exit_code_of(target: Callable[[], int], variables: Mapping[str, str]) -> int:
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


def error_text(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return repr(error)
    return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    process_control()(PR_SET_PDEATHSIG, number, 0, 0, 0)


@cache
def process_control() -> Callable[..., Any]:
    """Returns prctl, or a function that does nothing if the system has no prctl."""
    import ctypes  # here, not above: loading it costs more than all of this module

    return getattr(ctypes.CDLL(None), "prctl", lambda *_: 0)


def load_for_child() -> None:
    """Loads what the child needs before the fork, because the child must not load anything."""
    import resource  # noqa: F401

    process_control()
    range_closer()
