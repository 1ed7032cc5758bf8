"""What an attempt is checked against: the workspace as it was, and what others have had approved."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from flagstone.artifacts import RuleCheck, StageCheck, TurnFacts, check_stage, snapshot
from flagstone.artifacts.rules import WRITES_PAPER, failed_check
from flagstone.drafting.work import Attempt, OpenTurn
from flagstone.gates import (
    MISSING,
    RunConfig,
    content_of,
    digests_of,
    kept_copy,
    last_publication,
    listed_paths,
    offer_of,
    version_folder,
)
from flagstone.layout import Run
from flagstone.plans import plan
from flagstone.records import read_record, write_atomic, write_record
from flagstone.stages import Stage
from flagstone.text import list_text

MOST_NAMED = 12


def remember_before(opened: RunConfig, stage: Stage, work: OpenTurn) -> None:
    """Records the workspace as it is when a turn begins; a resumed turn keeps the first record."""
    path = opened.run.drafts(stage.nr) / "before.json"
    known = read_record(path)
    if known and known.get("key") == work.key:
        return
    if WRITES_PAPER in stage.requires:
        from flagstone.paper import building  # here, not above: most stages write no paper

        building.write_manifest(opened, stage)
    digests, marks = snapshot(opened.run, opened.cache)
    record = {"key": work.key, "digests": digests, "marks": marks, "own": own_files(opened.run, stage)}
    write_record(path, {**record, "approved": approved_files(opened, stage)})


def own_files(run: Run, stage: Stage) -> list[str]:
    """What this stage itself offered last time."""
    offer = offer_of(run, stage)
    was = last_publication(run, stage.nr, offer)
    folder = version_folder(run, stage.nr, was.version) if was else None
    record = read_record(folder / "version.json") if folder else None
    files = record.get("files") if record else listed_paths(offer) if offer else ()
    return sorted(files) if files else []


def approved_files(opened: RunConfig, stage: Stage) -> dict[str, list[str]]:
    """Every approved file of the stages that this one rests on: its path, and then its digest and its stage."""
    own = plan.exports_of(opened.run) if stage.runs_experiments else {}
    return {path: [digest, stage.nr] for path, (digest, _) in own.items()} | {
        path: [digest, up.nr]
        for up in opened.table.ancestors(stage.nr)
        for path, digest in files_offered(opened, up).items()
        if digest != MISSING
    }


def files_offered(opened: RunConfig, stage: Stage) -> Mapping[str, str]:
    content = content_of(opened, stage)
    return content.files if content else {}


def inspect(opened: RunConfig, stage: Stage, work: OpenTurn, attempt: Attempt) -> tuple[RuleCheck, ...]:
    """Every check of the stage; approved files that were changed are restored."""
    record = read_record(opened.run.drafts(stage.nr) / "before.json") or {}
    approved = {path: (str(row[0]), str(row[1])) for path, row in mapping_of(record.get("approved")).items()}
    request = StageCheck(
        run=opened.run,
        stage_nr=stage.nr,
        stage_title=stage.title,
        draft_text_path=attempt.draft,
        requires=stage.requires,
        leaves=stage.leaves,
        cache=opened.cache,
        turn=TurnFacts(
            before=mapping_of(record.get("digests")),
            written_since={path: tuple(mark) for path, mark in mapping_of(record.get("marks")).items()},
            own=frozenset(record.get("own", [])),
            reason=work.why,
            protected={p: digest for p, (digest, _) in approved.items() if p.startswith("workspace/")},
        ),
        venue=opened.settings.venue,
        makes_ideas=any(each.work == "discovery" for each in opened.table),
    )
    checks = check_stage(request, built_paper(opened, stage))
    restore(opened, approved)
    return checks


def built_paper(opened: RunConfig, stage: Stage) -> Sequence[RuleCheck]:
    """Builds the paper if the stage writes one, publishes what was built, and returns what was found."""
    if WRITES_PAPER not in stage.requires:
        return ()
    from flagstone.paper import building  # here, not above: most stages write no paper

    shutil.rmtree(opened.run.writing / building.DRAFT, ignore_errors=True)
    built = building.build_paper(building.PaperOrder(opened, stage, opened.run.paper))
    foreign = building.publish(opened.run)
    advice = "leave main.tex, numbers, bibliography and PDF to Flagstone; these were replaced, and are kept beside it"
    return (
        *built.checks,
        *([failed_check("paper-lint", f"{advice}: {list_text(foreign, MOST_NAMED)}")] if foreign else []),
    )


def restore(opened: RunConfig, approved: Mapping[str, tuple[str, str]]) -> None:
    """Restores approved files that an attempt changed from history, as far as there are copies."""
    run = opened.run
    now = digests_of(opened, approved)
    for path, (digest, nr) in approved.items():
        if now[path] == digest:
            continue
        source = kept_copy(run, nr, path, digest) or plan.exports_of(run).get(path, ("", None))[1]
        if source is None:
            continue
        target = run.root / path
        if target.is_symlink() or target.is_dir():
            target.rename(target.with_name(f"{target.name}.set-aside"))
        write_atomic(target, source.read_bytes())


def mapping_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
