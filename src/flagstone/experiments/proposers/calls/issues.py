"""What a command of the user's finds in the agent's files, as text for its prompt."""

from __future__ import annotations

import shutil
from pathlib import Path

from flagstone.experiments.measuring import Order, Surroundings, confinement, secret_paths
from flagstone.experiments.proposers.protocol import View
from flagstone.plans import run_id
from flagstone.processes import Command, Output, ProcessLimits, StartError, run
from flagstone.records import cannot_write

LIMIT_S = 60.0
MOST_BYTES = 4096
REST = "\n[… the rest is left out …]"


def issues_text(view: View, draft: Path, record_dir: Path) -> str:
    """What the command prints, at most 4 kB of it. It runs in a copy of the draft, confined as a run is."""
    line = view.spec.agent.issues_command
    if not line:
        return ""
    record_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy, private = record_dir / "issues", view.home.private_folder(f"issues-{view.number}")
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(draft, copy, symlinks=True)
        private.mkdir(parents=True, exist_ok=True)
        return printed_by(command_for(view, line, copy, private), record_dir / "issues.txt")
    except OSError as error:
        raise cannot_write(copy, error) from error
    finally:
        for folder in (copy, private):
            shutil.rmtree(folder, ignore_errors=True)


def command_for(view: View, line: str, copy: Path, private: Path) -> Command:
    spec = view.spec
    order = Order(view.home.run(run_id(view.number)), "", "issues", spec.seed)
    return Command(
        argv=("bash", "-c", line),
        target=None,
        cwd=copy,
        env=Surroundings(spec, "").variables(order, copy, private),
        owner=str(view.home.root),
        confinement=confinement(spec, (copy, private), hidden=secret_paths(view.home, spec)),
    )


def printed_by(command: Command, log: Path) -> str:
    try:
        result = run(command, ProcessLimits(wall_s=LIMIT_S), Output(log, log.with_suffix(".stderr")))
    except StartError as error:
        return f"(the command did not start: {error.problem})"
    with open(log, "rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    most = MOST_BYTES - len(REST.encode())
    text = content.decode("utf-8", "replace") if len(content) <= MOST_BYTES else cut_bytes(content, most) + REST
    if result.timed_out:
        return f"{text[:most]}\n[ended after {LIMIT_S:.0f} s]"
    return text.strip() or f"(it printed nothing, and ended with exit code {result.exit_code})"


def cut_bytes(content: bytes, most: int) -> str:
    return content[:most].decode("utf-8", "ignore")
