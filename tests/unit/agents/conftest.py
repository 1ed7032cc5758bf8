"""Calls to make, and a stand-in for the Claude Code CLI to make them with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_in import INIT, SESSION, SUCCESS, StandIn

from flagstone.agents.protocol import AgentCall, Conversation, Limits, Mode, Task


@pytest.fixture
def cli(tmp_path: Path) -> StandIn:
    folder = tmp_path / "stand-in"
    program = folder / "bin" / "claude"
    program.parent.mkdir(parents=True)
    (tmp_path / "home").mkdir()
    program.write_text(
        f"#!/bin/sh\nS={folder}\nprintf '%s\\0' \"$@\" > $S/argv\nenv -0 > $S/env\ncat > $S/prompt\n"
        "cat $S/stdout\ncat $S/stderr >&2\n. $S/then\n"
    )
    program.chmod(0o755)
    environ = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "ANTHROPIC_API_KEY": "not-a-real-key-000",
    }
    stand_in = StandIn(folder, environ)
    stand_in.says(INIT, SUCCESS)
    return stand_in


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., AgentCall]:
    """A call; anything about it can be named differently."""

    def made(**changes: Any) -> AgentCall:
        root = tmp_path / "run"
        root.mkdir(exist_ok=True)
        call = AgentCall(
            prompt="please do it",
            conversation=Conversation(SESSION, resume=False),
            task=Task("03", "Study design", 1, root, root / "drafts" / "03" / "1" / "draft.md"),
            mode=Mode.WORK,
            writable=(root / "workspace",),
            model="some-model",
            limits=Limits(wall_s=20, silence_s=10, turns=40, cost_usd=2.5),
            record_dir=root / "drafts" / "03" / "1",
            options={},
            sandbox="off",  # the stand-in keeps its notes outside the run; test_sandbox.py is about the rest
        )
        return replace(call, **changes)

    return made
