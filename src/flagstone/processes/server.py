"""A process that has everything loaded and forks a worker for each job: a stage then starts in milliseconds."""

from __future__ import annotations

import gc
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
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from flagstone.processes.confinement import blank_handles
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


def start_warm_server(load: Callable[[], Main], variable: str = STAGES, *, keeps_workers: bool = False) -> WarmServer:
    """Forks the server, which loads what jobs need while we go on. To be called before any thread is started.

    Workers that are kept do one job after the other. Their jobs must leave nothing behind in the process. They are in
    our process group, so that a Ctrl-C reaches them.
    """
    folder, listener, word = open_socket()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # so that no collection touches, and so copies, what we share with the server
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.dup2(listener.fileno(), 0)
            blank_handles()  # a lock that we shared would outlive our caller
            JobServer(socket.socket(fileno=os.dup(0)), load(), word, keeps_workers=keeps_workers).serve()
        finally:
            os._exit(1)
    listener.close()
    os.environ[variable] = f"{folder / 'socket'} {word}"
    return WarmServer(pid, folder, variable)


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
    JobServer(socket.socket(fileno=LISTENER), main, word, leash=0).serve()


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


@dataclass
class JobServer:
    """The process that has everything loaded: it hands each connection to a worker that waits, or forks one."""

    listener: socket.socket
    main: Main
    word: str
    leash: int | None = None
    keeps_workers: bool = False
    workers: list[socket.socket] = field(default_factory=list)
    idle: list[socket.socket] = field(default_factory=list)

    def serve(self) -> None:
        """Goes on for ever, or until the leash is let go."""
        signal.signal(signal.SIGCHLD, reap)
        while True:
            waiting: list[socket.socket | int] = [self.listener, *self.workers]
            waiting += [] if self.leash is None else [self.leash]
            ready = select.select(waiting, [], [])[0]
            if self.leash in ready:
                return
            for worker in [each for each in self.workers if each in ready]:
                self.hear(worker)
            if self.listener in ready:
                connection, _ = self.listener.accept()
                self.hand_over(connection)
                connection.close()

    def hear(self, worker: socket.socket) -> None:
        """Hears that a worker is free, or that it has ended."""
        if worker.recv(1):
            self.idle.append(worker)
            return
        self.workers.remove(worker)
        self.idle = [each for each in self.idle if each is not worker]
        worker.close()

    def hand_over(self, connection: socket.socket) -> None:
        if self.idle:
            socket.send_fds(self.idle.pop(), [b"?"], [connection.fileno()])
            return
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            for other in (self.listener, ours, *self.workers):
                other.close()
            os._exit(self.work(connection, theirs))
        theirs.close()
        if self.keeps_workers:
            self.workers.append(ours)
        else:
            ours.close()

    def work(self, connection: socket.socket, server: socket.socket) -> int:
        """One job, or one after the other until the server ends."""
        if not self.keeps_workers:
            # one Ctrl-C reaches everyone in the group, and the asker passes it on: heard twice, it would mean "at once"
            os.setpgid(0, 0)
        code = ServedJob(connection, self.main, self.word).do(server if self.keeps_workers else None)
        while self.keeps_workers:
            handles = socket.recv_fds(server, 1, 1)[1]
            if not handles:
                break
            ServedJob(socket.socket(fileno=handles[0]), self.main, self.word).do(server)
        return code


def reap(_number: int, _frame: FrameType | None) -> None:
    """Ended workers are waited for, so that the CPU time of a call includes theirs: the kernel adds up no other."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@dataclass
class ServedJob:
    """One job: takes over the asker's folder, environment and terminal, and answers with the exit code."""

    connection: socket.socket
    main: Main
    word: str
    is_over: bool = False

    def do(self, server: socket.socket | None) -> int:
        """Does the job. The server hears that this worker is free before the asker gets its answer."""
        die_with_parent(signal.SIGTERM)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = 1
        try:
            words, early = take_over(self.connection, self.word)
            threading.Thread(target=self.relay_signals, args=(early,), daemon=True).start()
            code = self.main(words)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # the worker must answer, whatever happened, and show what it was
            sys.excepthook(*sys.exc_info())
        finally:
            self.is_over = True
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            if server is not None:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for those who work
                let_go_of_streams()
                server.send(b"!")
            with suppress(OSError):
                self.connection.send(bytes([code & 0xFF]))
        return code & 0xFF

    def relay_signals(self, early: bytes) -> None:
        """Passes signals of the asker on to the worker; an asker that dies asks it to stop."""
        for number in early:
            os.kill(os.getpid(), number)
        while True:
            try:
                message = self.connection.recv(1)
            except OSError:
                return
            if self.is_over:  # the asker has its answer, and is gone
                return
            os.kill(os.getpid(), message[0] if message else signal.SIGTERM)
            if not message:
                return


def let_go_of_streams() -> None:
    """Whoever waits for the end of the asker's output must not wait for a worker that is kept."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


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
    for variable in fields[int(count) :]:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    return [os.fsdecode(field) for field in fields[: int(count)]], content[int(size) :]
