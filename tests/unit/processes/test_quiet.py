"""Small tools answer, are missing, or take too long; never is it an exception."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lazy_loader

import flagstone
from flagstone.processes import run_quietly


def test_a_small_tool_answers(tmp_path: Path) -> None:
    assert run_quietly(["sh", "-c", "cat; echo no >&2; exit 3"], tmp_path, 5, stdin=b"yes") == (3, b"yes", b"no\n")


def test_a_missing_tool_is_127(tmp_path: Path) -> None:
    code, _, said = run_quietly(["no-such-tool"], tmp_path, 5)
    assert (code, said) == (127, b"cannot start no-such-tool: No such file or directory")


def test_a_slow_tool_is_124_also_when_it_left_something_behind(tmp_path: Path) -> None:
    left_behind = "setsid sh -c 'sleep 30; touch ended' & exec sleep 30"
    code, _, said = run_quietly(["sh", "-c", left_behind], tmp_path, 0.1)
    assert (code, said) == (124, b"took longer than 0.1 s and was ended")
    assert not (tmp_path / "ended").exists()


def test_a_tool_ended_by_a_signal_answers_as_in_a_shell(tmp_path: Path) -> None:
    assert run_quietly(["sh", "-c", "kill -9 $$"], tmp_path, 5)[0] == 137


def test_loading_this_package_loads_nothing_heavy() -> None:
    heavy = "subprocess ctypes asyncio tempfile hashlib uuid logging yaml click"
    folders = [str(Path(module.__file__ or "").parents[1]) for module in (flagstone, lazy_loader)]
    program = f"import sys; sys.path[:0] = {folders}; from flagstone.processes import run; "
    program += f"print([m for m in {heavy.split()} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-SEc", program], capture_output=True).stdout == b"[]\n"
