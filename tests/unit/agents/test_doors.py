"""Sockets that lead out of the sandbox are found and hidden, whoever is confined."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flagstone.agents.hidden_paths import paths_to_hide


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Path]:
    """A socket of somebody's that has been listening for a while."""
    place = tmp_path / "elsewhere" / "door"
    place.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        os.utime(place, (1e9, 1e9))
        yield place


def test_a_socket_somebody_listens_on_is_a_door(daemon: Path) -> None:
    assert daemon in paths_to_hide({})


def test_a_socket_within_the_grant_is_none(daemon: Path) -> None:
    assert daemon not in paths_to_hide({}, [daemon.parent])


def test_a_socket_that_came_a_moment_ago_is_left(daemon: Path) -> None:
    os.utime(daemon)
    assert daemon not in paths_to_hide({}), "it may be gone before bubblewrap could cover it"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TMUX", "{},3012,0"),
        ("SSH_AUTH_SOCK", "{}"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path={},guid=0123"),
        ("DOCKER_HOST", "unix://{}"),
        ("SCREENDIR", "{}"),
    ],
)
def test_the_environment_tells_of_doors_however_young(daemon: Path, name: str, value: str) -> None:
    os.utime(daemon)
    assert daemon in paths_to_hide({name: value.format(daemon)})


def test_the_folder_of_tmux_is_found_where_it_was_put(tmp_path: Path) -> None:
    folder = tmp_path / f"tmux-{os.getuid()}"
    folder.mkdir()
    assert folder in paths_to_hide({"TMUX_TMPDIR": str(tmp_path)})


def test_a_folder_that_holds_the_work_stays_open(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert tmp_path in paths_to_hide({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert tmp_path not in paths_to_hide({"XDG_RUNTIME_DIR": str(tmp_path)}, [tmp_path / "run"])


def test_what_is_below_a_hidden_folder_is_not_hidden_twice(daemon: Path) -> None:
    found = paths_to_hide({"XDG_RUNTIME_DIR": str(daemon.parent)})
    assert daemon.parent in found and daemon not in found


def test_every_socket_is_hidden_however_many_there_are(tmp_path: Path) -> None:
    """Of eight that were covered, the ninth approved a stage."""
    with ExitStack() as opened:
        places = [tmp_path / str(number) for number in range(40)]
        for place in places:
            listener = opened.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(place))
            listener.listen()
            os.utime(place, (1e9, 1e9))
        assert set(places) <= set(paths_to_hide({"HOME": "/nowhere"}))


def test_looking_for_doors_costs_less_than_starting_a_program() -> None:
    def seconds(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    program = [sys.executable, "-ISc", "pass"]
    in_turns = [
        (seconds(lambda: paths_to_hide(os.environ)), seconds(lambda: subprocess.run(program))) for _ in range(10)
    ]
    looking, starting = map(min, zip(*in_turns, strict=True))
    assert looking < starting
