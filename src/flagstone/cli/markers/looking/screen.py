"""`flagstone marker` alone on a terminal: every marker in a table, to look at, run or watch."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.cli.markers.looking.live import LiveView, styled_line
from flagstone.cli.markers.looking.status import NONE_YET, markers_of, table_of
from flagstone.cli.markers.run import result_text, session
from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import tail_entries
from flagstone.locks import holder_of
from flagstone.markers import (
    Marker,
    MarkerFolder,
    MarkerState,
    SessionOptions,
    course_of,
    find_repository,
    known_repositories,
    run_line,
    state_of,
)
from flagstone.text import printable_text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleDimensions, RenderableType

KEYS = {b"\x1b[A": "up", b"\x1bOA": "up", b"k": "up", b"\x1b[B": "down", b"\x1bOB": "down", b"j": "down"}
KEYS |= {b"\r": "enter", b"\n": "enter", b"q": "quit", b"\x1b": "quit", b"": "quit"}
LOOK_S = 2.0  # how often the table is read anew
FOLLOW_S = 0.5
ESCAPE_S = 0.05  # the rest of an arrow comes at once; after the key Esc nothing comes
AROUND = 4  # lines of the screen that are not rows of the table


def show_screen(here: Path) -> None:
    """Shows the table until a person leaves it; what they choose is run, or watched where it runs already."""
    from rich.console import Console

    console, row = Console(highlight=False), 0
    while (found := choose(console, here, row)) is not None:
        row, marker = found
        if holder_of(MarkerFolder.of(marker.repository, marker.name).lock):
            follow(marker, console)
        else:
            run_here(marker, console)


def choose(console: Console, here: Path, row: int) -> tuple[int, Marker] | None:
    """The marker that a person picks, with its row. Returns None if they leave."""
    from rich.live import Live

    with keys_read(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            markers, problems = markers_of(repositories(here))
            row = max(0, min(row, len(markers) - 1))
            states = [state_of(each) for each in markers]
            live.update(page(states, problems, row, console.size), refresh=True)
            key = next_key(LOOK_S)
            if key == "quit" or (key == "enter" and not markers):
                return None
            if key == "enter":
                return row, markers[row]
            row += {"up": -1, "down": 1}.get(key, 0)


def repositories(here: Path) -> list[Path]:
    """The repository around a folder, if there is one, and those that `add` made known."""
    found: list[Path] = []
    with suppress(FlagstoneError):
        found.append(find_repository(here))
    return list(dict.fromkeys([*found, *(each for each in known_repositories() if each.exists())]))


def page(states: Sequence[MarkerState], problems: Sequence[str], row: int, size: ConsoleDimensions) -> RenderableType:
    """The table around the chosen row, as much of it as fits."""
    from rich.console import Group
    from rich.text import Text

    most = max(1, size.height - AROUND - len(problems))
    first = max(0, min(row - most // 2, len(states) - most))
    words = "↑ ↓ choose · Enter runs it, or shows it if it runs · q leaves" if states else "q leaves"
    notes = [Text(printable_text(each), "red", no_wrap=True, overflow="ellipsis") for each in problems]
    body = table_of(states[first : first + most], size.width, row - first) if states else Text(NONE_YET)
    return Group(body, *notes, Text(), Text(words, "dim", no_wrap=True, overflow="ellipsis"))


def run_here(marker: Marker, console: Console) -> None:
    """One session of this process. q ends it as Ctrl-C does."""
    console.print(f"session of {printable_text(marker.name)}; q ends it, and nothing is lost", markup=False)
    try:
        with quit_key():
            text = result_text(session(marker, SessionOptions(), ""))
    except (FlagstoneError, KeyboardInterrupt) as error:
        text = str(error) or "interrupted; nothing is lost"
    console.print(printable_text(text), markup=False)
    console.print("a key goes back to the table", style="dim")
    with keys_read():
        next_key(None)


def follow(marker: Marker, console: Console) -> None:
    """Watches a session of another process until it ends, or a person has seen enough."""
    from rich.live import Live

    folder, view = MarkerFolder.of(marker.repository, marker.name), LiveView(marker, console, course_of(marker))
    console.print(f"session of {printable_text(marker.name)}; q leaves it, and it goes on", markup=False)
    with keys_read(), Live(console=console, get_renderable=view.footer, refresh_per_second=2, transient=True):
        while holder_of(folder.lock) and next_key(FOLLOW_S) != "quit":
            home = folder.homes[-1]
            course = view.course if view.course and view.course.home == home.root.name else course_of(marker)
            view.course = course
            for entry in tail_entries(home.ledger, 20):
                if entry.number > course.number:
                    console.print(styled_line(f"{entry.ended_at[11:19]} {run_line(entry)}"))
                    view.add(entry)


@contextmanager
def keys_read() -> Iterator[None]:
    """Hands over each key at once, and does not print it. Ctrl-C stays what it is."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def next_key(seconds: float | None) -> str:
    """The key that was pressed meanwhile. Returns '' if none was, or another one."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return ""
    key = os.read(sys.stdin.fileno(), 1)
    if key == b"\x1b" and select.select([sys.stdin], [], [], ESCAPE_S)[0]:
        key += os.read(sys.stdin.fileno(), 2)
    return KEYS.get(key, "")


@contextmanager
def quit_key() -> Iterator[None]:
    """While entered, q interrupts this process."""
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            if next_key(0.2) == "quit":
                os.kill(os.getpid(), signal.SIGINT)
                return

    listener = threading.Thread(target=listen, daemon=True)
    with keys_read():
        listener.start()
        try:
            yield
        finally:
            ended.set()
            listener.join()
