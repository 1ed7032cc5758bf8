"""handoff/NN.md: a short note, made by us from an approved summary, that keeps later prompts bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flagstone.artifacts.rules import parse_summary
from flagstone.gates import StageFiles, Verdict, read_text
from flagstone.layout import Run
from flagstone.records import encode, read_as, write_atomic
from flagstone.status.memory import rewrite

LIMIT_BYTES = 2_400  # of one handoff; a test holds us to it
PART_CHARACTERS = 500


@dataclass(frozen=True)
class Note:
    """A handoff and the content it was made from: parsing a summary takes longer than all else here."""

    digest: str
    note: str


def write_handoffs(run: Run, verdicts: Mapping[str, Verdict]) -> None:
    """Writes the handoff of each approved stage, and removes those of the others."""
    remembered = run.digest_cache.with_name("handoffs.json")
    before, now = read_as(remembered, dict[str, Note]) or {}, dict[str, Note]()
    for nr, verdict in verdicts.items():
        if not verdict.is_in_force:
            run.handoff(nr).unlink(missing_ok=True)
            continue
        made = before.get(nr)
        if made is None or made.digest != verdict.files.digest:
            made = Note(verdict.files.digest, note_of(run, verdict.files))
        now[nr] = made
        rewrite(run.handoff(nr), made.note)
    if now != before:
        write_atomic(remembered, encode(now), durable=False)


def note_of(run: Run, stage_files: StageFiles) -> str:
    """The handoff of one stage: its key results, what could be better, and which files matter."""
    stage = stage_files.stage
    summary = parse_summary(read_text(run.summary(stage.key)))
    lines = [f"# Handoff of stage {stage.nr}: {stage.title}", "", "What is settled:", ""]
    lines += [quote(summary.text_of("Key Results")), "", "What is missing or could be better:", ""]
    lines += [f"- {shorten(suggestion, 160)}" for suggestion in summary.suggestions]
    lines += ["", "Files that matter:", ""]
    lines += list(file_lines(stage_files))
    return limit_bytes("\n".join(lines) + "\n")


def file_lines(files: StageFiles) -> Iterator[str]:
    rows = [row for row in files.offer.get("artifacts", []) if isinstance(row, dict)]
    for row in rows[:12]:
        yield f"- `{row.get('path')}` ({row.get('size')} bytes, {str(row.get('digest'))[:12]})"
    if len(rows) > 12:
        yield f"- and {len(rows) - 12} more, listed in stages/{files.stage.key}.json"


def quote(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in shorten(text.strip(), PART_CHARACTERS).split("\n"))


def shorten(text: str, characters: int) -> str:
    text = text.strip()
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def limit_bytes(text: str) -> str:
    raw = text.encode()
    return text if len(raw) <= LIMIT_BYTES else raw[: LIMIT_BYTES - 4].decode(errors="ignore") + "…\n"
