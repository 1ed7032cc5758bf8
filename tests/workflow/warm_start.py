"""Starts commands as if from new, but loads what all of them load only once: each call is a fork.

The program itself, its atexit hooks, its signals and its environment are the real ones. The stages that a plain
`snakemake` builds are forked as well, by the server that `flagstone run` has. What `workbench.start` starts, and its
jobs, load everything themselves. A call is given and answered in one message each: words, folder and environment
with the files that its output and its errors go to; then its process id and its exit code.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

DOUBLES = Path(__file__).resolve().parents[1] / "doubles"
LARGEST = 1 << 20
JOB_SERVER = "FLAGSTONE_WARM"
LOADED = ("flagstone.cli.main", "jinja2", "jsonschema", "markdown_it", "pandas", "requests", "smart_open")


@functools.cache
def warm_process() -> socket.socket:
    """The process that calls are forked from; it ends with the test runner that started it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    words = [sys.executable, __file__, str(theirs.fileno())]
    nothing = subprocess.DEVNULL
    subprocess.run(
        words,
        env={**os.environ, "PYTHONPATH": str(DOUBLES)},
        pass_fds=[theirs.fileno()],
        stdin=nothing,
        stdout=nothing,
        start_new_session=True,
        check=True,
    )
    theirs.close()
    return ours


def run(words: list[str], cwd: Path, env: dict[str, str], limit_s: float, errors: int | None = None) -> tuple[int, str]:
    """Waits for a call to end; its exit code and its output, with its errors unless there is another file for them.

    One that hangs is killed with all it started.
    """
    calls = warm_process()
    reading, writing = os.pipe()
    call = {"words": words, "cwd": str(cwd), "env": env}
    socket.send_fds(calls, [json.dumps(call).encode()], [writing, writing if errors is None else errors])
    os.close(writing)
    hung = threading.Timer(limit_s, os.killpg, (int(calls.recv(LARGEST)), signal.SIGKILL))
    hung.start()
    with open(reading, "rb") as stream:
        output = stream.read().decode(errors="replace")
    code = int(calls.recv(LARGEST))
    assert hung.is_alive(), f"{words} hung; its output:\n{output}"
    hung.cancel()
    return code, output


def serve(calls: socket.socket) -> list[str]:
    """Forks for every call until the test runner is gone, and ends with it; returns in the fork only."""
    while True:
        message, [*handles], _, _ = socket.recv_fds(calls, LARGEST, 2)
        if not message:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            calls.close()
            return become(json.loads(message), handles)
        for handle in handles:
            os.close(handle)
        calls.send(str(pid).encode())
        ending = os.pidfd_open(pid)
        if calls in select.select([ending, calls], [], [])[0]:  # no call comes before this one was answered
            os.killpg(pid, signal.SIGKILL)
            os._exit(0)
        os.close(ending)
        _, status = os.waitpid(pid, 0)
        calls.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(call: dict[str, object], handles: list[int]) -> list[str]:
    """Makes this process what `subprocess.Popen(…, start_new_session=True)` would have started."""
    os.setsid()
    for stream, handle in enumerate(handles, start=1):
        os.dup2(handle, stream)
        os.close(handle)
    os.chdir(str(call["cwd"]))
    words, job_server = list(call["words"]), os.environ[JOB_SERVER]  # type: ignore[call-overload]
    os.environ.clear()
    os.environ.update(call["env"])  # type: ignore[call-overload]
    if os.path.basename(words[0]) == "snakemake":
        os.environ[JOB_SERVER] = job_server
    return words


def carry_out(words: list[str]) -> None:
    """Runs the program to its end, and exits as `flagstone` does: without unloading every module."""
    from flagstone.cli.main import exit_at_once

    codes: list[int] = []
    atexit.register(lambda: codes and exit_at_once(codes[0]))  # the first hook is called last
    sys.argv = words
    sys.path[0] = os.path.dirname(words[0])
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as ended:
        codes += [ended.code] if isinstance(ended.code, int) else []
        raise


def load_jobs() -> Callable[[list[str]], int]:
    """Loads what builds a stage, as `flagstone run` does. Returns the function that a forked process calls."""
    from flagstone.cli.jobs import loading, stage

    for name in loading.LOADED:
        importlib.import_module(name)
    gc.freeze()
    return stage.main


def load() -> None:
    """Loads what every command loads; a process of its own loads what every stage loads."""
    from flagstone.cli.jobs import loading

    for name in (*LOADED, *loading.LOADED, *loading.LOADED_FOR_BLOCKS):
        importlib.import_module(name)
    import snakemake.cli

    from flagstone.processes import start_warm_server

    snakemake.cli.get_argument_parser()  # loads the plugins
    gc.freeze()  # a fork would copy all of this memory, and search it for garbage when it ends
    start_warm_server(load_jobs)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # tests look at the children of the test runner: this is none of them
    load()
    carry_out(serve(socket.socket(fileno=int(sys.argv[1]))))
