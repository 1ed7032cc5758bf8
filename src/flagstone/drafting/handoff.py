"""handoff/NN.md: a short note, made by us from an approved summary, that keeps later prompts bounded."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flagstone.artifacts.rules import parse_summary
from flagstone.gates import OpenedRun, Verdict, judge_gates, read_bytes, read_text
from flagstone.records import canonical, read_record, write_atomic
from flagstone.stages import Stage

LIMIT_BYTES = 2_400  # of one handoff; a test holds us to it
PART_CHARACTERS = 500


def write_handoffs(opened: OpenedRun) -> None:
    """Brings every handoff in step with what is approved now; a revoked stage hands nothing over."""
    memory = opened.run.digest_cache.with_name("handoffs.json")
    before, now = read_record(memory) or {}, {}
    for verdict, holder in judge_gates(opened, time.time_ns()):
        stage = verdict.stage
        path = opened.run.handoff(stage.nr)
        if not verdict.is_open or holder is not None:
            path.unlink(missing_ok=True)
            continue
        now[stage.nr] = made = made_before(before.get(stage.nr), verdict) or made_now(opened, verdict)
        content = made["note"].encode()
        if read_bytes(path) != content:
            write_atomic(path, content, durable=False)
    if now != before:
        write_atomic(memory, canonical(now), durable=False)


def made_before(known: object, verdict: Verdict) -> dict[str, str] | None:
    """The note as it was made from the same content: taking a summary apart takes longer than all else here."""
    fits = isinstance(known, dict) and known.get("digest") == digest_of(verdict) and isinstance(known.get("note"), str)
    return known if fits and isinstance(known, dict) else None


def made_now(opened: OpenedRun, verdict: Verdict) -> dict[str, str]:
    return {"digest": digest_of(verdict), "note": note(opened, verdict.stage)}


def digest_of(verdict: Verdict) -> str:
    return verdict.content.digest if verdict.content else ""


def note(opened: OpenedRun, stage: Stage) -> str:
    """What stands, what is missing, which files matter."""
    summary = parse_summary(read_text(opened.run.summary(stage.key)))
    lines = [f"# Handoff of stage {stage.nr}: {stage.title}", "", "What stands:", ""]
    lines += [quoted(summary.text_of("Key Results")), "", "What is missing or could be better:", ""]
    lines += [f"- {cut(suggestion, 160)}" for suggestion in summary.suggestions]
    lines += ["", "Files that matter:", ""]
    lines += list(files(opened, stage))
    return within("\n".join(lines) + "\n")


def files(opened: OpenedRun, stage: Stage) -> Iterator[str]:
    offer = read_record(opened.run.offer(stage.key)) or {}
    rows = [row for row in offer.get("artifacts", []) if isinstance(row, dict)]
    for row in rows[:12]:
        yield f"- `{row.get('path')}` ({row.get('size')} bytes, {str(row.get('digest'))[:12]})"
    if len(rows) > 12:
        yield f"- and {len(rows) - 12} more, listed in stages/{stage.key}.json"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in cut(text.strip(), PART_CHARACTERS).split("\n"))


def cut(text: str, characters: int) -> str:
    text = text.strip()
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def within(text: str) -> str:
    raw = text.encode()
    return text if len(raw) <= LIMIT_BYTES else raw[: LIMIT_BYTES - 4].decode(errors="ignore") + "…\n"
