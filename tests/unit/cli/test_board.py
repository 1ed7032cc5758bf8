"""`flagstone experiment board` opens TensorBoard on what experiments and their runs wrote."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from flagstone.cli.experiments.looking.board import link_events
from flagstone.experiments.ledger.scalars import NAME, Scalars
from flagstone.plans.folder import Home

sys.path.append(str(Path(__file__).parents[1] / "experiments"))
from entries import made_up, spec_for

FLAGSTONE = Path(sys.executable).with_name("flagstone")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An experiment of five runs. The third wrote event files of its own."""
    home = Home(tmp_path / ".flagstone" / "experiments" / "lr", tmp_path)
    scalars, spec = Scalars(home), spec_for(tmp_path)
    for entry in made_up(5):
        scalars.add(entry, spec)
    home.spec.write_text("goal: less\n")
    own = home.run("r0003").root / "tree" / "logs" / "train"
    own.mkdir(parents=True)
    (own / NAME).write_bytes((home.events / NAME).read_bytes())
    (home.run("r0003").root / "tree" / "data").symlink_to(tmp_path)
    return home


def test_the_board_shows_the_loop_and_what_each_run_wrote(home: Home, tmp_path: Path) -> None:
    assert link_events(home, tmp_path / "board" / "lr") == 2
    links = {
        path.relative_to(tmp_path / "board"): path for path in (tmp_path / "board").rglob("*") if path.is_symlink()
    }
    assert {str(name): path.resolve() for name, path in links.items()} == {
        "lr/loop": home.events,
        "lr/r0003/tree/logs/train": home.run("r0003").root / "tree" / "logs" / "train",
    }


def test_tensorboard_answers_on_this_machine_only_and_ends_with_the_command(home: Home) -> None:
    board = subprocess.Popen(
        [FLAGSTONE, "experiment", "board", "--port", "0"], cwd=home.base, stderr=subprocess.PIPE, text=True
    )
    try:
        address = address_in(board)
        assert address.startswith("http://localhost:")
        assert b"TensorBoard" in read(address)
        runs = wait_for_runs(address)
        assert set(runs) == {"lr/loop", "lr/r0003/tree/logs/train"}
    finally:
        board.send_signal(signal.SIGINT)
        board.wait(30)


def test_without_events_the_board_says_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / ".flagstone" / "experiments").mkdir(parents=True)
    said = subprocess.run([FLAGSTONE, "experiment", "board"], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 2 and "has written events yet" in said.stderr


def address_in(board: subprocess.Popen[str]) -> str:
    assert board.stderr is not None
    seen = ""
    for line in board.stderr:
        seen += line
        if found := re.search(r"http://\S+?:\d+/", line):
            return found[0]
    raise AssertionError(seen)


def read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=300) as answer:
        return bytes(answer.read())


def wait_for_runs(address: str) -> list[str]:
    """TensorBoard reads the files after it has begun to answer."""
    until = time.monotonic() + 300
    while len(runs := json.loads(read(f"{address}data/runs"))) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    return list(runs)
