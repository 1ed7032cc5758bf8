"""The record of a call names the files of its grant that the agent has changed, whatever it says itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flagstone.agents import changes
from flagstone.agents.frame import CallFrame
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Mode
from flagstone.records import decode, encode

Asked = Callable[..., AgentCall]


@dataclass
class Worker:
    """An agent that does what a test says."""

    act: Callable[[Path], object]
    name: str = "worker"

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        self.act(call.task.run_root)
        return AgentResult(CallOutcome.OK, "done", "", "s")


def works(asked: Asked, tmp_path: Path, act: Callable[[Path], object]) -> AgentResult:
    call = asked()
    workspace = call.task.run_root / "workspace"
    workspace.mkdir(exist_ok=True)
    for name in ("same", "other", "gone"):
        (workspace / name).write_text("x")
    call = replace(call, writable=(workspace, call.task.run_root / "draft.md"))
    result = CallFrame(Worker(act), tmp_path / "log").carry_out(call)
    assert decode(encode(result), AgentResult).changed == result.changed
    assert "workspace/" not in (tmp_path / "log").read_text(), "the log of calls stays short"
    return result


def test_what_is_new_other_or_gone_is_named(asked: Asked, tmp_path: Path) -> None:
    def act(root: Path) -> None:
        (root / "draft.md").write_text("a draft")
        (root / "workspace" / "deep").mkdir()
        (root / "workspace" / "deep" / "new").symlink_to("/nowhere")
        (root / "workspace" / "gone").unlink()
        (root / "elsewhere").write_text("not of the grant")

    assert works(asked, tmp_path, act).changed == ("draft.md", "workspace/deep/new", "workspace/gone")


def test_a_time_that_was_set_back_hides_nothing(asked: Asked, tmp_path: Path) -> None:
    def act(root: Path) -> None:
        other = root / "workspace" / "other"
        was = other.stat()
        time.sleep(0.02)  # the clock of the file system ticks
        other.write_text("y")
        os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))

    assert works(asked, tmp_path, act).changed == ("workspace/other",)


def test_of_very_many_some_are_named_and_the_others_counted(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "NAMED", 3)

    def act(root: Path) -> None:
        for number in range(9):
            (root / "workspace" / f"n{number}").touch()

    assert works(asked, tmp_path, act).changed[-2:] == ("workspace/n2", "and 6 more")


def test_a_judge_changes_nothing(asked: Asked, tmp_path: Path) -> None:
    call = asked(mode=Mode.JUDGE, writable=(tmp_path,))
    assert changes.stats_of_grant(call) == {}
