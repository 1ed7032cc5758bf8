"""Publishing a checked draft: history first, the document last, each by rename."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flagstone import records, schemas
from flagstone.artifacts import build_index
from flagstone.artifacts.formats import list_files
from flagstone.artifacts.rules import READINESS_FILES, WRITES_PAPER, parse_summary, produced_files, published_copies
from flagstone.drafting.work import Attempt, OpenTurn
from flagstone.gates import (
    MISSING,
    Content,
    RunConfig,
    Turn,
    content_of,
    digests_of,
    history,
    index_slices,
    publication_file,
)
from flagstone.layout import INDEX_KINDS, Run
from flagstone.plans import TrialPlan, files_on_disk, plan
from flagstone.records import digest_bytes, read_record, utc, write_atomic, write_record
from flagstone.seals import login_name
from flagstone.stages import Stage

ProducerFields = dict[str, object]
FOLDER_FILES = 2_000  # of one listed folder; the rest of a larger one is not part of what is approved


def build_indexes(opened: RunConfig, stage: Stage, attempt: int) -> None:
    """Rebuilds the three indexes.

    An unchanged file keeps its producer; new content gets this attempt as its producer.
    """
    for kind in INDEX_KINDS:
        known, exported = producers_of(opened.run, kind), exporters_of(opened.run)
        index = build_index(opened.run, kind, opened.cache, {})
        for row in rows_of(index):
            was = known.get(str(row.get("path")))
            kept = was[1] if was and was[0] == row.get("digest") else {}
            maker = {"stage": stage.nr, "attempt": attempt}
            made = exported.get((row.get("path"), row.get("digest")), {})
            row["producer"] = {**as_producer(row.get("producer")), **maker, **kept, **made}
        schemas.check(opened.project.schemas, "index", index, f"index/{kind}.json")
        write_record(opened.run.index(kind), index)


def exporters_of(run: Run) -> dict[tuple[object, object], ProducerFields]:
    """Which experiment or trial has put a file among the results, by the path and the digest of the file."""
    return {
        (path, digest): {"trial" if isinstance(each, TrialPlan) else "experiment": each.name}
        for each in plan.all_plans(run)
        for path, digest in (read_record(each.done_file) or {}).get("exports", {}).items()
    }


def as_producer(value: object) -> ProducerFields:
    return dict(value) if isinstance(value, dict) else {}


def producers_of(run: Run, kind: str) -> dict[str, tuple[object, ProducerFields]]:
    record = read_record(run.index(kind)) or {}
    found = {}
    for row in rows_of(record):
        producer = row.get("producer")
        if isinstance(producer, dict) and producer.get("stage"):
            found[str(row.get("path"))] = (row.get("digest"), dict(producer))
    return found


def rows_of(index: Mapping[str, object]) -> list[dict[str, object]]:
    rows = index.get("entries")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


@dataclass(frozen=True)
class NewVersion:
    """What a stage is to offer: its summary and listed files, what they were made from, and where the offer goes."""

    summary: Path
    offer: Path
    artifacts: Sequence[str]
    attempt: int
    session_id: str
    turn: Turn


def promote(opened: RunConfig, stage: Stage, work: OpenTurn, attempt: Attempt) -> None:
    """Makes a checked draft the stage's offer. A kill at any point leaves the old version or the new one."""
    run = opened.run
    build_indexes(opened, stage, attempt.number)
    offered = {*offered_paths(run, stage, attempt.draft.read_bytes()), *plans_of(opened, stage)}
    offered |= {*published_copies(run)} if WRITES_PAPER in stage.requires else set()
    artifacts = sorted(offered - {run.relative(run.summary(stage.key))})
    offer = attempt.folder / "offer.json"
    made = NewVersion(attempt.draft, offer, artifacts, attempt.number, work.session_id, work.turn)
    publish_version(opened, stage, made)


def publish_version(opened: RunConfig, stage: Stage, made: NewVersion) -> str:
    """Keeps a new version in history, then publishes it; returns its name."""
    run = opened.run
    summary_path, summary_digest = run.relative(run.summary(stage.key)), digest_bytes(made.summary.read_bytes())
    digests = digests_of(opened, made.artifacts)
    content = Content(files={summary_path: summary_digest, **digests}, index=index_slices(run).get(stage.nr, {}))
    version = history.next_version(run, stage.nr, content)
    offer = {
        "stage": stage.nr,
        "key": stage.key,
        "title": stage.title,
        "attempt": made.attempt,
        "session_id": made.session_id,
        "built_at": utc(time.time()),
        "built_ns": filesystem_now_ns(run.drafts(stage.nr)),
        "digest": content.digest,
        "summary": summary_digest,
        "artifacts": [{"path": p, "digest": d, "size": size_of(run.root / p)} for p, d in sorted(digests.items())],
        "index": dict(content.index),
        "turn": made.turn.to_record(),
        "version": version,
    }
    schemas.check(opened.project.schemas, "offer", offer, f"the offer of stage {stage.nr}")
    write_record(made.offer, offer)
    sources = {path: run.root / path for path, digest in digests.items() if digest != MISSING}
    sources |= {summary_path: made.summary, run.relative(run.offer(stage.key)): made.offer}
    history.keep(run, stage, content, sources, version)
    published = {name: offer[name] for name in ("turn", "attempt", "version", "session_id")}
    write_record(publication_file(run, stage.nr), published)
    history.publish(run, stage, made.offer, made.summary)
    return version


def offered_paths(run: Run, stage: Stage, summary: bytes) -> list[str]:
    """What the summary lists, folders opened up, and what the indexes say this stage made."""
    paths: set[str] = set()
    for listed in produced_files(parse_summary(summary.decode("utf-8", errors="replace")), run.root):
        is_folder = (run.root / listed).is_dir()
        paths.update(list_files(run.root, listed, limit=FOLDER_FILES).paths if is_folder else [listed])
    for kind in INDEX_KINDS:
        for row in rows_of(read_record(run.index(kind)) or {}):
            producer = row.get("producer")
            if isinstance(producer, dict) and producer.get("stage") == stage.nr and not row.get("unreadable"):
                paths.add(str(row.get("path")))
    if stage.runs_experiments:
        paths.update(plan.evidence(run))
    if stage.is_release:
        paths.update(path for path in READINESS_FILES if (run.root / path).is_file())
    return sorted(paths)


def plans_of(opened: RunConfig, stage: Stage) -> list[str]:
    """The plans of experiments and trials that a stage leaves to a later one: they are run as they were approved.

    The last stage before the experiments answers for the files that the plans name as well.
    """
    table = opened.table
    later = [each for each in table if each.runs_experiments and stage in table.ancestors(each.nr)]
    if not later:
        return []
    above = [content_of(opened, up) for up in table.ancestors(stage.nr)]
    known = {path for content in above if content for path in content.files}
    plans = plan.all_plans(opened.run)
    paths = {opened.run.relative(plan.path) for plan in plans}
    if any(stage.nr in each.after for each in later):
        paths |= {path for plan in plans for path in files_on_disk(opened.run, plan.text)}
    return sorted(paths - known)


def take_up_marks(run: Run, nr: str) -> None:
    """A redo mark is one-shot: it moves to history when the turn it asks for begins."""
    mark = run.redo(nr)
    if mark.exists():
        folder = run.history(nr)
        folder.mkdir(parents=True, exist_ok=True)
        taken = sum(1 for _ in folder.glob("redo-*"))
        os.replace(mark, folder / f"redo-{taken + 1:04d}")


def keep_request(run: Run, nr: str, attempt: Attempt, work: OpenTurn) -> None:
    """Keeps beside the prompt who asked for this turn, when, and exactly the feedback that it was opened for."""
    source = keep_feedback(run, nr, attempt, work.turn.feedback) if work.turn.feedback else None
    if work.why == "redo":
        source = run.history(nr) / f"redo-{work.turn.redo:04d}"
    if source and (work.why == "redo" or (work.why == "refine" and source == run.feedback(nr))):
        stat = os.stat(source)
        asked = {"why": work.why, "who": login_name(stat.st_uid), "at": utc(stat.st_mtime)}
        write_record(attempt.folder / "request.json", asked)


def keep_feedback(run: Run, nr: str, attempt: Attempt, digest: str) -> Path | None:
    """Copies the feedback with this digest. Returns the file that it was found in."""
    for source in (run.feedback(nr), *sorted(run.drafts(nr).glob("*/feedback.md"), reverse=True)):
        words = records.content_of(source)
        if words is not None and digest_bytes(words) == digest:
            write_atomic(attempt.folder / "feedback.md", words)
            return source
    return None


def filesystem_now_ns(folder: Path) -> int:
    """The time as the file system stamps it: flags are compared with it, and its clock may not be ours."""
    with tempfile.NamedTemporaryFile(dir=folder) as probe:
        return os.stat(probe.name).st_mtime_ns


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
