"""Starts commands that need Snakemake as if from new, but loads its libraries once: each call is a fork.

The program itself, its atexit hooks, its signals and its environment are the real ones; `flagstone` is never loaded
before the fork. A call is given and answered in one message each: words, folder and environment with the file its
output goes to; then its process id and its exit code.
"""

from __future__ import annotations

import functools
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

LARGEST = 1 << 20


@functools.cache
def warm_process() -> socket.socket:
    """The process that calls are forked from; it ends with the test runner that started it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    words = [sys.executable, __file__, str(theirs.fileno())]
    nothing = subprocess.DEVNULL
    subprocess.run(words, pass_fds=[theirs.fileno()], stdin=nothing, stdout=nothing, start_new_session=True, check=True)
    theirs.close()
    return ours


def run(words: list[str], cwd: Path, env: dict[str, str], limit_s: float) -> tuple[int, str]:
    """Waits for a call to end; its exit code and its output. One that hangs is killed with all it started."""
    reading, writing = os.pipe()
    call = {"words": words, "cwd": str(cwd), "env": env}
    socket.send_fds(warm_process(), [json.dumps(call).encode()], [writing])
    os.close(writing)
    hung = threading.Timer(limit_s, os.killpg, (int(warm_process().recv(LARGEST)), signal.SIGKILL))
    hung.start()
    with open(reading, "rb") as stream:
        output = stream.read().decode(errors="replace")
    code = int(warm_process().recv(LARGEST))
    assert hung.is_alive(), f"{words} hung; its output:\n{output}"
    hung.cancel()
    return code, output


def serve(calls: socket.socket) -> list[str]:
    """Forks for every call until the test runner is gone; returns in the fork only, with what it is to run."""
    while True:
        message, [*handles], _, _ = socket.recv_fds(calls, LARGEST, 1)
        if not message:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            calls.close()
            return become(json.loads(message), handles[0])
        os.close(handles[0])
        calls.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        calls.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(call: dict[str, object], output: int) -> list[str]:
    """Makes this process what `subprocess.Popen(…, start_new_session=True)` would have started."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.chdir(str(call["cwd"]))
    os.environ.clear()
    os.environ.update(call["env"])  # type: ignore[call-overload]
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return list(call["words"])  # type: ignore[call-overload]


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # tests look at the children of the test runner: this is none of them
    import pandas  # noqa: F401
    import requests  # noqa: F401
    import smart_open  # noqa: F401
    import snakemake.cli

    snakemake.cli.get_argument_parser()  # loads the plugins
    sys.argv = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
