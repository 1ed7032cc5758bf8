"""Separates, in the log of calls, lines of our own processes from lines that an agent added."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flagstone.agents.accounts import LOG
from flagstone.drafting.protected import FileState
from flagstone.layout import Run
from flagstone.locks import holder_of, sole_use
from flagstone.records import decode_or_none, digest_bytes

CALLS = f"logs/{LOG}"


def expected_content(run: Run, was: FileState | None, siblings: frozenset[str]) -> bytes | None:
    """The content that the log should have if somebody added lines; None if nobody did, or its beginning changed."""
    try:
        content = (run.root / CALLS).read_bytes()
    except OSError:
        return None
    size = was.size if was else 0
    if was and digest_bytes(content[:size]) != was.digest:
        return None
    kept = content[:size] + b"".join(line for line in lines(content[size:]) if is_ours(line, run, siblings))
    return None if kept == content else kept


def lines(added: bytes) -> Iterator[bytes]:
    yield from added.splitlines(keepends=True)


def is_ours(line: bytes, run: Run, siblings: frozenset[str]) -> bool:
    """Whether a stage that may be built at the same time has written this, or an experiment that runs now."""
    fields = decode_or_none(line, dict[str, Any]) or {}
    experiment = str(fields.get("experiment") or "")
    is_name = experiment == os.path.basename(experiment) != ""
    return fields.get("stage") in siblings or (is_name and bool(holder_of(run.experiments / experiment / "lock")))


def put_back(run: Run, content: bytes, aside: Path) -> None:
    """Keeps what was found, and leaves what we wrote; in its place, where others wait to write to it."""
    log = run.root / CALLS
    with sole_use(log), open(log, "r+b") as stream:
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(stream.read())
        stream.seek(0)
        stream.write(content)
        stream.truncate()
