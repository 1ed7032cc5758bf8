"""Plays a recorded call: its transcript line by line, and the files it left.

The folder holds one subfolder per stage (`03/`), or per attempt of it (`03/2/`), with `transcript.jsonl`,
optionally `stderr.txt`, `exit_code`, `draft.md`, and below `files/` what is put into the run. A reviewer's
transcript is below that, in `reviews/<reviewer>/`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from flagstone.agents.claude import Leftovers, Stream, stream_result
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Mode
from flagstone.processes import Redactor
from flagstone.records import utc, write_atomic

TRANSCRIPT = "transcript.jsonl"


class ReplayAgent:
    """The agent `replay`: `options["folder"]` is the recording."""

    name = "replay"

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        self.folder = Path(str((options or {}).get("folder") or "recording"))

    def fault(self) -> tuple[str, str] | None:
        """What keeps the recording from being played, and the cure."""
        if self.folder.is_dir():
            return None
        return (
            f"there is no recording in {self.folder}",
            "name the folder of a recording in the settings of the agent: folder: DIR",
        )

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Plays the recording of this stage and attempt."""
        started_at = utc(time.time())
        stage = self.folder / call.task.stage
        of_attempt = (stage / str(call.task.attempt), stage)
        role = call.task.title.rpartition(": ")[2] if call.mode is Mode.JUDGE else ""
        folders = [folder / "reviews" / role if role else folder for folder in of_attempt]
        recording = next((folder for folder in folders if (folder / TRANSCRIPT).is_file()), None)
        if recording is None:
            what = f"the {role} of stage" if role else "stage"
            reason = f"{self.folder} holds no recording of {what} {call.task.stage}"
            return AgentResult.never_started(call, CallOutcome.CONFIG, reason)
        stream = self.play(recording, call, on_event)
        denied = tuple(put_files(recording, call))
        result = stream_result(call, stream, leftovers(recording, call))
        return replace(
            result,
            session_id=call.conversation.session_id,
            denied=(*stream.denials, *denied),
            started_at=started_at,
            ended_at=utc(time.time()),
        )

    def play(self, recording: Path, call: AgentCall, on_event: Callable[[Event], None]) -> Stream:
        stream = Stream()
        transcript = Redactor({}).clean((recording / TRANSCRIPT).read_bytes())
        for line in transcript.split(b"\n"):
            for event in stream.read(line):
                on_event(event)
        write_atomic(call.record_dir / TRANSCRIPT, transcript, mode=0o600)
        return stream


def put_files(recording: Path, call: AgentCall) -> Iterator[str]:
    """Puts the recorded files where the agent had left them; names those that may not be written."""
    draft = recording / "draft.md"
    if draft.is_file():
        call.task.draft.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(draft, call.task.draft)
    files = recording / "files"
    for source in sorted(files.rglob("*")) if files.is_dir() else ():
        target = call.task.run_root / source.relative_to(files)
        if source.is_symlink() or not source.is_file():
            continue
        if not may_write(target, call.writable):
            yield f"Write: {target}"
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def may_write(target: Path, writable: tuple[Path, ...]) -> bool:
    # resolved: a link inside the run must not lead out of it
    real = target.resolve()
    return any(real.is_relative_to(granted.resolve()) for granted in writable)


def leftovers(recording: Path, call: AgentCall) -> Leftovers:
    stderr = recording / "stderr.txt"
    return Leftovers(
        exit_code=exit_code_of(recording),
        signal=None,
        ending="exit",
        unclean_pids=(),
        stderr=stderr.read_text("utf-8", "replace") if stderr.is_file() else "",
        wants_structure=call.reply_schema is not None,
        now_s=time.time(),
    )


def exit_code_of(recording: Path) -> int:
    """The exit code of the recorded program; 0 if it was not recorded."""
    try:
        return int((recording / "exit_code").read_text("ascii"))
    except (OSError, ValueError):
        return 0
