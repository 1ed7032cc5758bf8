"""The code of an experiment cannot ask a daemon of the person's to do what it may not do itself."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from laboratory import Laboratory

from flagstone.experiments.measuring.environment import confinement
from flagstone.processes import Command, Confinement, Output, ProcessLimits, run
from flagstone.processes.confinement import landlock, machine

Held = tuple[Path, Confinement | None]
CALL = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1]); print('reached')"


def said(line: tuple[str, ...], own: Path, held: Confinement | None) -> str:
    command = Command((sys.executable, "-c", *line), None, own, {"PATH": os.environ["PATH"]}, confinement=held)
    run(command, ProcessLimits(wall_s=20), Output(own / "log"))
    return (own / "log").read_text()


@pytest.fixture
def held(laboratory: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """A folder of its own, and what code is held to that runs there; an old socket and a key lie outside it."""
    if machine.bubblewrap_fault() or landlock.abi() < 3:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Landlock and bubblewrap")
    (tmp_path / "own").mkdir()
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    (tmp_path / "home" / ".ssh" / "id").write_text("a key")
    (tmp_path / "home" / ".aws").mkdir()
    for name in (".aws/credentials", ".npmrc", ".netrc"):
        (tmp_path / "home" / name).write_text("a token")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "door"))
        listener.listen()
        os.utime(tmp_path / "door", (1e9, 1e9))
        spec = laboratory.make(sandbox="auto").open().spec
        spec = replace(spec, harness=replace(spec.harness, network=False))
        yield tmp_path / "own", confinement(spec, (tmp_path / "own",))


def test_it_cannot_call_a_daemon(held: Held, tmp_path: Path) -> None:
    own, confined = held
    assert "reached" in said((CALL, str(tmp_path / "door")), own, None)
    assert "reached" not in said((CALL, str(tmp_path / "door")), own, confined)


@pytest.mark.parametrize("name", [".aws/credentials", ".npmrc", ".netrc"])
def test_without_a_network_it_cannot_read_what_logs_a_person_in(held: Held, tmp_path: Path, name: str) -> None:
    own, confined = held
    token = str(tmp_path / "home" / name)
    assert "a token" in said((f"print(open({token!r}).read())",), own, None)
    assert "a token" not in said((f"print(open({token!r}).read())",), own, confined)


def test_it_cannot_read_keys(held: Held, tmp_path: Path) -> None:
    own, confined = held
    key = str(tmp_path / "home" / ".ssh" / "id")
    assert "a key" in said((f"print(open({key!r}).read())",), own, None)
    assert "a key" not in said((f"print(open({key!r}).read())",), own, confined)
