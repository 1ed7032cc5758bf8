"""What an agent call costs beyond the CLI's own: the same command line started by hand, and by Flagstone, in one run.

By Flagstone means all of it: budget, sandbox, private folder, transcript, redaction, the line in the log.
With a stand-in that only prints; and, where `make test-claude` has installed it, with the real Claude Code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from flagstone.agents.accounts.budget import Budget
from flagstone.agents.claude.driver import ClaudeAgent
from flagstone.agents.claude.launch import arguments, environment, prompt_bytes
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.frame import CallFrame
from flagstone.agents.protocol import AgentCall, CallOutcome, Conversation, Limits, Mode, Task
from measured.rounds import CHECKOUT, promise, seconds, show, take_turns

sys.path.append(str(CHECKOUT / "tests" / "claude"))
from install import FOLDER, is_right, program_in
from messages_api import MessagesApi, Says

ROUNDS = {"stand-in": 25, "Claude Code": 15}
LIMIT_MS = 60
LIMIT_MB = 40
INIT = {"type": "system", "subtype": "init", "session_id": "s", "model": "m"}
DONE = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "terminal_reason": "completed",
    "result": "done",
    "total_cost_usd": 0.01,
}


def main() -> None:
    bare_mb = float(subprocess.check_output([sys.executable, "-c", MEMORY])) / 1000
    with tempfile.TemporaryDirectory() as folder:
        measure("stand-in", stand_in(Path(folder)), Path(folder), {})
    promise("memory of a process that makes calls, beyond Python's own", peak_mb() - bare_mb, LIMIT_MB, " MB")
    program = program_in(FOLDER)
    if not is_right(program):
        print("Claude Code: left out, make test-claude installs it")
        return
    with tempfile.TemporaryDirectory() as folder, MessagesApi() as api:
        api.plays(*[lambda _: Says("done")] * 200)
        measure("Claude Code", program, Path(folder), {"ANTHROPIC_BASE_URL": api.url})


MEMORY = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def peak_mb() -> float:
    """The most memory this program has had; what the system reports of children includes their parent's."""
    rows = Path("/proc/self/status").read_text().splitlines()
    return float(next(row.split()[1] for row in rows if row.startswith("VmHWM"))) / 1000


def measure(name: str, program: Path, folder: Path, more: Mapping[str, str]) -> None:
    (folder / "home").mkdir()
    (folder / "run" / "workspace").mkdir(parents=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "ANTHROPIC_API_KEY": "not-a-key", **more}
    alone = f"{name} alone"
    sides: dict[str, Callable[[], float]] = {
        alone: lambda: by_hand(program, folder / "run", environ),
        f"{name} by Flagstone": lambda: by_flagstone(program, folder / "run", environ),
    }
    found = take_turns(sides, ROUNDS[name])
    show(found, alone)
    # of a CLI that takes a second the least is compared: a busy machine changes its median by more than is looked for
    middle = median if name == "stand-in" else min
    beyond_ms = 1000 * (middle(found[f"{name} by Flagstone"]) - middle(found[alone]))
    promise(f"{name}: a call beyond its own time, {middle.__name__} of {ROUNDS[name]}", beyond_ms, LIMIT_MS, " ms")


def stand_in(folder: Path) -> Path:
    program = folder / "claude"
    lines = "\n".join(json.dumps(event) for event in (INIT, DONE))
    program.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'EOF'\n{lines}\nEOF\n")
    program.chmod(0o755)
    return program


def new_call(root: Path) -> AgentCall:
    """A call in a conversation of its own."""
    session = str(uuid.uuid4())
    attempt = root / "drafts" / "03" / session
    attempt.mkdir(parents=True)
    (attempt / "draft.md").touch()
    return AgentCall(
        prompt="please do it",
        conversation=Conversation(session, resume=False),
        task=Task("03", "Study Design", 1, root, attempt / "draft.md"),
        mode=Mode.WORK,
        writable=(root / "workspace", attempt / "draft.md"),
        model="claude-sonnet-5-5",
        limits=Limits(wall_s=60, silence_s=30, turns=20, cost_usd=None),
        record_dir=attempt,
        options={},
    )


def by_hand(program: Path, root: Path, environ: Mapping[str, str]) -> float:
    """The floor: the same program, the same words, the same environment."""
    call = new_call(root)
    folder = SessionFolder.of(call)
    words, prompt = arguments(call, str(program)), prompt_bytes(call.prompt, root)
    env = environment(call, folder, environ)
    with ExitStack() as opened:
        kept = opened.enter_context(open(call.record_dir / "out.jsonl", "wb"))
        return seconds(lambda: subprocess.run(words, input=prompt, env=env, cwd=root, stdout=kept, check=True))


def by_flagstone(program: Path, root: Path, environ: Mapping[str, str]) -> float:
    call = new_call(root)
    agent = ClaudeAgent({"command": str(program)}, environ)

    def carried_out() -> None:
        log, budgets = root / "logs" / "agents.jsonl", [Budget.of("run", {"usd": 1000})]
        result = CallFrame(agent, log, budgets).carry_out(call)
        if result.outcome is not CallOutcome.OK:
            raise SystemExit(f"{result.outcome}: {result.reason}")

    return seconds(carried_out)


if __name__ == "__main__":
    main()
