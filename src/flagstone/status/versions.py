"""The versions a stage has had, and the differences between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from flagstone.gates import MISSING, Content, RunConfig, Version, content_of, kept_versions
from flagstone.seals import last_decision
from flagstone.stages import Stage

SHOWN_LINES = 2_000


def previous_version(opened: RunConfig, stage: Stage, content: Content) -> Version | None:
    """The newest version that differs from what the stage offers now."""
    return next((v for v in reversed(kept_versions(opened.run, stage.nr)) if v.digest != content.digest), None)


def last_approved(opened: RunConfig, stage: Stage) -> Version | None:
    """The version that was last approved."""
    seal = last_decision(opened.run, stage.nr, event="approved")
    return next((v for v in reversed(kept_versions(opened.run, stage.nr)) if seal and v.digest == seal.digest), None)


def differences(opened: RunConfig, stage: Stage, old: Version) -> Iterator[str]:
    """A unified diff of the summary, then which other files changed."""
    content = content_of(opened, stage)
    summary = opened.run.relative(opened.run.summary(stage.key))
    before, now = lines_of(old.folder / summary), lines_of(opened.run.summary(stage.key))
    diff = difflib.unified_diff(before, now, f"{summary} ({old.name})", f"{summary} (now)", lineterm="")
    for count, line in enumerate(diff):
        if count == SHOWN_LINES:
            yield f"… the rest of this diff is left out; compare {old.folder / summary}"
            break
        yield line
    files = dict(content.files) if content else {}
    for path in sorted({*old.files, *files} - {summary}):
        was, is_now = old.files.get(path), files.get(path)
        if was != is_now:
            word = "new" if was is None else "gone" if is_now in (None, MISSING) else "changed"
            yield f"{word:<8} {path}"


def lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
