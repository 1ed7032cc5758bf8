"""The warm server works for our own jobs, and for nobody who does not know its word."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flagstone.processes import Command, Confinement, Output, ProcessLimits, landlock, run
from flagstone.processes.warm import VARIABLE, Main, WarmServer, start_warm_server


def job(folder: Path) -> Main:
    def main(words: list[str]) -> int:
        (folder / "done").write_text(" ".join(words))
        return 7

    return main


@contextmanager
def server(folder: Path) -> Iterator[WarmServer]:
    running = start_warm_server(lambda: job(folder))
    try:
        yield running
    finally:
        running.stop()


def ask(address: str, word: str, folder: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.connect(address)
        asked = {"argv": ["a", "b"], "cwd": str(folder), "env": {"PATH": os.environ["PATH"]}, "word": word}
        nothing = os.open(os.devnull, os.O_RDWR)
        socket.send_fds(asker, [json.dumps(asked).encode() + b"\n"], [nothing] * 3)
        os.close(nothing)
        answer = asker.recv(1)
    return answer[0] if answer else -1


def test_a_job_that_knows_the_word_is_done(tmp_path: Path) -> None:
    with server(tmp_path):
        place, _, word = os.environ[VARIABLE].rpartition(" ")
        assert ask(place, word, tmp_path) == 7
    assert (tmp_path / "done").read_text() == "a b"


def test_a_stranger_gets_nothing_done(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        for word in ("", "0" * 32):
            assert ask(str(running.folder / "socket"), word, tmp_path) == 1
    assert not (tmp_path / "done").exists()


def test_what_is_confined_cannot_read_the_word_off_us(tmp_path: Path) -> None:
    if not landlock.abi():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this kernel has no Landlock")
    with server(tmp_path) as running:
        (tmp_path / "w").mkdir()
        line = f"cat /proc/{os.getpid()}/environ /proc/{running.pid}/environ /proc/self/environ"
        env = {"PATH": os.environ["PATH"], VARIABLE: os.environ[VARIABLE]}
        held = Confinement((tmp_path / "w",), use_bubblewrap=False)
        command = Command(("sh", "-c", line), None, tmp_path, env, confinement=held)
        run(command, ProcessLimits(wall_s=20), Output(tmp_path / "out"))
        word = os.environ[VARIABLE].rpartition(" ")[2]
    said = (tmp_path / "out").read_text(errors="replace")
    assert word not in said and "Permission denied" in said


def test_it_is_gone_when_it_is_stopped(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        os.kill(running.pid, 0)
    assert VARIABLE not in os.environ
    assert not running.folder.exists()
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
