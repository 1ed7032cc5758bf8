"""The screen of markers in a real terminal: what it shows, and which keys do what."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_markers import FILE, commit, git, marker, propose, start, wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is the terminal of these tests")

OTHER = FILE.replace("big score", "a second one with a long name that no narrow terminal can show").replace(
    "markers:\n", ""
)


# tmux misses the end of a program now and then, although nothing of it is left: a shell says it instead
SHELL = ("sh", "-c", '"$@"; echo "ended with $?"; exec cat', "sh")
LIMIT_S = 120


class Terminal:
    """A real terminal of 80 columns, with a program in it."""

    def __init__(self, root: Path, *words: str) -> None:
        self.server = f"flagstone-{uuid.uuid4().hex[:12]}"
        argv = (sys.executable, "-m", "flagstone.cli.main", "marker", *words)
        state = f"XDG_STATE_HOME={root.parent / 'state'}"
        env = ("env", "-u", "LINES", "-u", "COLUMNS", "LC_ALL=C.UTF-8")
        size = ("-x", "80", "-y", "20", "-c", str(root))
        self.tmux("new-session", "-d", *size, *env, state, *SHELL, *argv)

    def tmux(self, *words: str) -> str:
        argv = ("tmux", "-u", "-f", os.devnull, "-L", self.server, *words)
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300).stdout

    @property
    def text(self) -> str:
        return self.tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def wait(self, is_there: Callable[[str], bool]) -> str:
        end = time.monotonic() + LIMIT_S
        while not is_there(text := self.text):
            assert time.monotonic() < end, f"not there after {LIMIT_S} s; the terminal shows:\n{text}"
            time.sleep(0.1)
        return text

    def wait_for(self, words: str) -> str:
        return self.wait(lambda text: words in text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "数字"
    for path, text in {
        "src/work.py": "N = 10\n",
        "measure.py": "import sys\nsys.path.insert(0, 'src')\nimport work\nprint(work.N)\n",
        "guard.py": "",
        ".flagstone/config.yaml": FILE + OTHER,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "-q")
    commit(root)
    propose(root, *range(11, 90), pause_s=2)
    return root


@pytest.fixture
def open_terminal(repository: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def make(*words: str) -> Terminal:
        opened.append(Terminal(repository, *words))
        return opened[-1]

    yield make
    for each in opened:
        each.tmux("kill-server")


def test_a_marker_is_picked_run_and_ended_and_the_table_comes_back(
    repository: Path, open_terminal: Callable[..., Terminal]
) -> None:
    screen = open_terminal()
    table = screen.wait_for("Enter runs it")
    assert [line.split()[0] for line in table.splitlines()[:3]] == ["marker", "big", "a"]
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "…" in table and "baseline → best" in table and "$0.00" in table
    screen.press("Down", "Up", "Enter")
    live = screen.wait_for("big score · r0003 goes on · best 11 (from 10)")
    assert "r0002 keep 11, better than r0001 (10)" in live and "1 keep 0 discard" in live
    screen.press("q")
    screen.wait_for("a key goes back to the table")
    screen.press("x")
    assert "10 → 11" in screen.wait_for("Enter runs it")
    screen.press("q")
    screen.wait_for("ended with 0")
    found = marker(repository, "results", "big score")["data"]
    assert [each["status"] for each in found[:2]] == ["keep", "keep"]


def test_a_session_of_another_process_is_watched_and_goes_on_without_the_watcher(
    repository: Path, open_terminal: Callable[..., Terminal]
) -> None:
    session = start(repository, "run", "big score")
    wait_for(repository / ".flagstone/markers/big score/1/runs/r0002")
    screen = open_terminal()
    screen.wait_for("running")
    screen.press("Enter")
    screen.wait_for("r0002 keep 11")
    screen.press("q")
    screen.wait_for("Enter runs it")
    assert session.poll() is None
    screen.press("q")
    output, said = session.communicate(timeout=300)
    assert "best 12 (r0003)" in output
    assert "r0003 keep 12, better than r0002 (11)" in said and "goes on" not in said


def test_a_session_on_a_terminal_ends_with_its_lines_and_its_result(open_terminal: Callable[..., Terminal]) -> None:
    screen = open_terminal("run", "big score")
    screen.wait_for("big score · r0002 goes on")
    text = screen.wait_for("next: flagstone marker results")
    assert "r0003 keep 12, better than r0002 (11)" in text
    assert "goes on" not in text


def test_with_json_a_terminal_gets_one_document_and_plain_lines(open_terminal: Callable[..., Terminal]) -> None:
    text = open_terminal("run", "big score", "--json").wait_for("ended with 0")
    assert '{"status": "ok", "data": [{"marker": "big score"' in text.replace("\n", "")
    assert "r0002 keep 11" in text and "time left" not in text
