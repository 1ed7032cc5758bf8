"""A process that has everything loaded and forks a worker for each job: a stage then starts in milliseconds."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from flagstone.processes.fork import die_with_parent

# where a job finds the socket, and the word it is let in by; without it a job loads everything itself
STAGES = "FLAGSTONE_WARM"
BLOCKS = "FLAGSTONE_WARM_BLOCKS"
PREFIX = "flagstone-"
REQUEST_BYTES = 4_000_000
LONGEST_PLACE = 60
LISTENER = 3  # the handle on which a spawned server finds its socket

Main = Callable[[list[str]], int]


@dataclass
class WarmServer:
    """A running server. Jobs find it through the environment; it dies with us."""

    pid: int
    folder: Path
    variable: str
    leash: int | None = None

    def stop(self) -> None:
        """Ends the server and removes its socket."""
        os.environ.pop(self.variable, None)
        if self.leash is not None:
            os.close(self.leash)
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_warm_server(load: Callable[[], Main]) -> WarmServer:
    """Forks the server, which loads what jobs need while we go on. To be called before any thread is started."""
    folder, listener, word = open_socket()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            main = load()
            serve(listener, main, word)
        finally:
            os._exit(1)
    listener.close()
    os.environ[STAGES] = f"{folder / 'socket'} {word}"
    return WarmServer(pid, folder, STAGES)


def spawn_warm_server(argv: list[str]) -> WarmServer:
    """Starts the server as a program of its own, for a process that has threads; it ends when we do, however we end."""
    folder, listener, word = open_socket()
    leash_end, leash = os.pipe()
    nowhere = [(os.POSIX_SPAWN_OPEN, handle, os.devnull, os.O_WRONLY, 0) for handle in (1, 2)]  # jobs use their asker's
    given = [(os.POSIX_SPAWN_DUP2, leash_end, 0), (os.POSIX_SPAWN_DUP2, listener.fileno(), LISTENER)]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[*given, *nowhere])
    os.close(leash_end)
    listener.close()
    os.write(leash, f"{word}\n".encode())
    os.environ[BLOCKS] = f"{folder / 'socket'} {word}"
    return WarmServer(pid, folder, BLOCKS, leash)


def serve_spawned(load: Callable[[], Main]) -> None:
    """The program that `spawn_warm_server` starts: serves until the other end of its standard input is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    word = os.read(0, 64).decode().strip()
    main = load()
    serve(socket.socket(fileno=LISTENER), main, word, leash=0)


def open_socket() -> tuple[Path, socket.socket, str]:
    """A folder with a socket, the socket, and the word that jobs have to know."""
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=socket_folder()))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    # an agent may find the socket, but not this word: Landlock keeps it from reading our memory
    return folder, listener, secrets.token_hex(16)


def socket_folder() -> Path:
    """Where temporary files go, or /tmp where that has too long a name: a socket's path holds 107 bytes."""
    place = Path(tempfile.gettempdir())
    return place if len(os.fsencode(place)) <= LONGEST_PLACE else Path("/tmp")


def remove_leftovers() -> None:
    """The folders of servers whose `flagstone run` was killed before it could remove its own."""
    for folder in socket_folder().glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def serve(listener: socket.socket, main: Main, word: str, leash: int | None = None) -> None:
    """Forks a worker for each connection, for ever or until the leash is let go."""
    signal.signal(signal.SIGCHLD, reap)
    while True:
        waiting: list[int] = [listener.fileno(), *([] if leash is None else [leash])]
        if leash in select.select(waiting, [], [])[0]:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os._exit(work(connection, main, word))
        connection.close()


def reap(_number: int, _frame: FrameType | None) -> None:
    """Ended workers are waited for, so that the CPU time of a call includes theirs: the kernel adds up no other."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def work(connection: socket.socket, main: Main, word: str) -> int:
    """One job: takes over the asker's folder, environment and terminal, and answers with the exit code."""
    die_with_parent(signal.SIGTERM)
    # one Ctrl-C reaches everyone in the group, and the asker passes it on: heard twice, it would mean "at once"
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        words, early = take_over(connection, word)
        threading.Thread(target=relay_signals, args=(connection, early), daemon=True).start()
        code = main(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # the worker must answer, whatever happened, and show what it was
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        with suppress(OSError):
            connection.send(bytes([code & 0xFF]))
    return code & 0xFF


def take_over(connection: socket.socket, word: str) -> tuple[list[str], bytes]:
    """Reads the request: words, folder, environment, and the three standard streams; then signals that came with it.

    `workflow/scripts/asking.py` says how it is written.
    """
    request, handles, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 3)
    size, _, content = request.partition(b"\n")
    while len(content) < int(size):
        more = connection.recv(REQUEST_BYTES)
        if not more:
            raise EOFError("whoever asked has gone")
        content += more
    theirs, folder, count, *fields = content[: int(size)].split(b"\0")
    if not secrets.compare_digest(theirs, word.encode()):
        raise PermissionError("a stranger asked")
    for target, handle in enumerate(handles):
        os.dup2(handle, target)
        os.close(handle)
    os.chdir(folder)
    os.environ.clear()
    for field in fields[int(count) :]:
        name, _, value = field.partition(b"=")
        os.environb[name] = value
    return [os.fsdecode(field) for field in fields[: int(count)]], content[int(size) :]


def relay_signals(connection: socket.socket, early: bytes) -> None:
    """Passes signals of the asker on to the worker; an asker that dies asks it to stop."""
    for number in early:
        os.kill(os.getpid(), number)
    while True:
        try:
            message = connection.recv(1)
        except OSError:
            return
        os.kill(os.getpid(), message[0] if message else signal.SIGTERM)
        if not message:
            return
