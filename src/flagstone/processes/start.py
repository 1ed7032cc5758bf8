"""Starts one child: own session, own pipes, a mark in its environment, and it dies with us."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.processes.child import Child
from flagstone.processes.command import Command
from flagstone.processes.confinement import (
    STEERING,
    confined_environment,
    is_in_bubblewrap,
    needed_ruleset,
    wrapped_argv,
)
from flagstone.processes.fork import Birth, Streams, error_text, fork_child
from flagstone.processes.proc import entry_of, resident_mb
from flagstone.processes.tool import run_quietly, starting
from flagstone.processes.tree import FILE_LOCKS, MARK, ProcessTree, new_tag, set_tag

FLAGS = os.O_CLOEXEC
DIE_WITH_PARENT = ("--pdeathsig", "KILL")
PROBE_S = 10.0
LAST_BYTES = 4096


class StartError(FlagstoneError):
    """The program is missing, or may not be run, or not there."""


class SandboxError(WorkFailed):
    """Bubblewrap could not set up the sandbox: nothing of the program has run."""


def refuse_failed_sandbox(log: Path) -> None:
    """Raises SandboxError if bubblewrap says what it could not set up, and not that it could not find the program."""
    last = log.read_bytes()[-LAST_BYTES:].decode("utf-8", "replace").rstrip().rpartition("\n")[2]
    if last.startswith("bwrap: ") and not last.startswith("bwrap: execvp "):
        raise SandboxError(
            f"the sandbox could not be set up: {last}", hint="nothing was counted: run the same command again"
        )


@dataclass
class Pipes:
    """Both ends of everything between us and a child."""

    child_ends: list[int] = field(default_factory=list)
    our_ends: list[int] = field(default_factory=list)

    def output_pipe(self) -> tuple[int, int]:
        """A pipe the child writes to: our end first."""
        reader, writer = os.pipe2(FLAGS)
        self.our_ends.append(reader)
        self.child_ends.append(writer)
        return reader, writer

    def input_pipe(self, content: bytes | Path) -> tuple[int | None, int]:
        """What the child reads from: nothing at all, a file, or a pipe."""
        if not content or isinstance(content, Path):
            self.child_ends.append(os.open(content or os.devnull, os.O_RDONLY | FLAGS))
            return None, self.child_ends[-1]
        reader, writer = os.pipe2(FLAGS)
        self.our_ends.append(writer)
        self.child_ends.append(reader)
        return writer, reader

    def close(self, ends: list[int]) -> None:
        while ends:
            os.close(ends.pop())


def start(command: Command, *, is_merged: bool) -> Child:
    """Starts a command; raises StartError if that is not possible."""
    if command.confinement is None:
        setpriv_path()  # tried before the lock is taken: to try it is to start a program
    with starting:
        pipes = Pipes()
        try:
            return start_child(command, pipes, is_merged)
        except OSError as error:
            pipes.close(pipes.our_ends)
            raise StartError(
                f"cannot start {command.title}: {error_text(error)}", hint="install it, or correct its path"
            ) from error
        except BaseException:
            pipes.close(pipes.our_ends)
            raise
        finally:
            pipes.close(pipes.child_ends)


def start_child(command: Command, pipes: Pipes, is_merged: bool) -> Child:
    stdin, child_stdin = pipes.input_pipe(command.stdin)
    stdout, child_stdout = pipes.output_pipe()
    stderr, child_stderr = (None, child_stdout) if is_merged else pipes.output_pipe()
    started, child_started = pipes.output_pipe() if is_in_bubblewrap(command) else (None, None)
    birth = birth_of(command, child_started)
    ours_mb, began = peak_mb() if birth.launcher else resident_mb(os.getpid()), time.monotonic()
    try:
        begin = spawn if birth.launcher else fork_child
        pid = begin(command, (child_stdin, child_stdout, child_stderr), birth)
    finally:
        if birth.ruleset is not None:
            os.close(birth.ruleset)
    for handle in pipes.our_ends:
        os.set_blocking(handle, False)
    entry = entry_of(pid)
    tree = ProcessTree(pid, f"//{birth.mark}", entry.started_ticks if entry else 0, range(birth.tag, birth.tag + 1))
    return Child(
        pid=pid,
        pidfd=os.pidfd_open(pid),
        tree=tree,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        started=started,
        began=began,
        argv=birth.argv,
        own_words=len(command.argv or ()),
        ours_mb=ours_mb,
        inherited_mb=entry.resident_mb if entry and command.target else 0.0,
    )


def birth_of(command: Command, started: int | None) -> Birth:
    """Everything that can go wrong with a confinement goes wrong here, where it can still be said."""
    if command.argv:
        program_path(command.argv[0], command)
    ruleset = needed_ruleset(command)
    try:
        mark = os.urandom(16).hex()
        argv = wrapped_argv(command, ruleset, started)
        variables = {**confined_environment(command), MARK: f"{os.environ.get(MARK, '')}:{command.owner}//{mark}"}
        launcher = launcher_argv(command, argv)
        return Birth(os.getpid(), mark, new_tag(command.owner), argv, launcher, variables, ruleset, started)
    except BaseException:
        if ruleset is not None:
            os.close(ruleset)
        raise


def launcher_argv(command: Command, argv: tuple[str, ...]) -> tuple[str, ...]:
    """What starts the child without a copy of our memory; () if only a fork can start it as it has to be.

    Whoever sets a variable that steers the linker has code of theirs run in the launcher too: not there.
    """
    if argv != (command.argv or ()):
        return argv  # bubblewrap dies with us by itself
    is_steered = any(name.startswith(STEERING) for name in command.env)
    is_free = bool(argv) and command.confinement is None and not is_steered
    return (setpriv_path(), *DIE_WITH_PARENT, *argv) if is_free and setpriv_path() else ()


@cache
def setpriv_path() -> str:
    """The program of util-linux that asks the kernel to end it when we end, and becomes another; '' if it fails.

    By its whole path: the child may have another PATH than we have.
    """
    import shutil  # here, not above: most commands start nothing

    path = shutil.which("setpriv")
    return path if path and run_quietly([path, *DIE_WITH_PARENT, "true"], Path("/"), PROBE_S)[0] == 0 else ""


def program_path(name: str, command: Command) -> str:
    """Where a program is, seen from the folder of the child; OSError if it is nowhere, or may not be run."""
    folders = [""] if "/" in name else command.env.get("PATH", os.defpath).split(os.pathsep)
    paths = (os.path.join(command.cwd, folder, name) for folder in folders)
    reason = errno.ENOENT
    for path in filter(os.path.isfile, paths):
        if os.access(path, os.X_OK):
            return path
        reason = errno.EACCES
    raise OSError(reason, os.strerror(reason))


def spawn(command: Command, streams: Streams, birth: Birth) -> int:
    """Starts a program without copying this process first; its number."""
    import subprocess  # here, not above: most commands start nothing

    stdin, stdout, stderr = streams
    handed_on = tuple(handle for handle in (birth.ruleset, birth.started) if handle is not None)
    with tag_children(birth.tag):
        process = subprocess.Popen(
            birth.launcher,
            cwd=command.cwd,
            env=birth.variables,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=handed_on,
        )
    process.returncode = 0  # whoever watches the child waits for it, not this object
    return process.pid


@contextmanager
def tag_children(tag: int) -> Iterator[None]:
    """Whatever is started within this context carries the tag from its first instruction on."""
    import resource

    before = resource.getrlimit(FILE_LOCKS)
    set_tag(tag)
    try:
        yield
    finally:
        resource.setrlimit(FILE_LOCKS, before)


def peak_mb() -> float:
    """What the kernel holds against a child that began with our memory."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1_000_000
