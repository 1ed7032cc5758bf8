"""What an attempt's prompt is made of, gathered from the run."""

from __future__ import annotations

from dataclasses import replace

from flagstone.artifacts import index_rows, wanted_text
from flagstone.drafting.reviewing import is_of_review
from flagstone.drafting.work import Attempt, OpenTurn, attempt as attempt_of, attempt_numbers
from flagstone.gates import RunConfig, judge_gates, read_moment, read_text, trial_words
from flagstone.layout import INDEX_KINDS, Run
from flagstone.plans import plans, trial_plans
from flagstone.prompts import PromptParts, continuation_prompt, first_prompt, repair_prompt
from flagstone.records import digest_file, read_record
from flagstone.settings import venue_fields
from flagstone.stages import Stage

INLINE_BYTES = 60_000  # longer material is given by reference, with its digest
HANDOFFS = 8
MUST_LEAVE = {
    "data": "workspace/data/ holds machine-readable data (JSON, JSONL, CSV, TSV, Parquet or YAML) with records in it",
    "fresh-data": "workspace/data/ holds machine-readable data that this stage itself made",
    "results": "workspace/results/ holds machine-readable results, each naming the experiment or trial that made it",
    "fresh-results": "workspace/results/ holds results that this stage itself made, each naming what made it",
    "figures": "workspace/figures/ holds figures, each naming the data it was drawn from",
    "fresh-figures": "workspace/figures/ holds figures that this stage itself drew, each naming its data",
    "paper": "the paper that Flagstone built is in place, as it was built",
    "fresh-paper": "this stage itself wrote the paper, and Flagstone builds a PDF of it without a fault",
    "readiness": "threats to validity, the artifact manifest and release notes are written",
    "fresh-readiness": "this stage itself wrote threats to validity, the artifact manifest and release notes",
}
INDEX_ROWS = 120


def prompt_for(opened: RunConfig, stage: Stage, work: OpenTurn, attempt: Attempt, before: Attempt | None) -> str:
    """The whole prompt of one attempt: first, continued or repaired."""
    folder = opened.run.pinned / "prompts"
    failed = before.failed_rules() if before else ()
    parts = parts_of(opened, stage, work, attempt, failed)
    if not work.used:
        earlier = earlier_work(opened.run, stage) if work.fresh_starts else ()
        return first_prompt(folder, replace(parts, earlier=earlier))
    if failed:
        template = stage.prompt("reviser") if is_of_review(failed) else ""
        return repair_prompt(folder, parts, template)
    return continuation_prompt(folder, parts)


def parts_of(
    opened: RunConfig, stage: Stage, work: OpenTurn, attempt: Attempt, failed: tuple[tuple[str, str], ...]
) -> PromptParts:
    run = opened.run
    moment = read_moment(opened)
    verdicts = judge_gates(moment)
    approved = [up for up in opened.table.ancestors(stage.nr) if verdicts[up.nr].is_in_force]
    remembered = "\n".join(read_text(run.summary(up.key)) for up in approved)
    is_long = len(remembered.encode()) > INLINE_BYTES
    was = moment.stages[stage.nr].publication
    changed = [nr for nr, digest in work.turn.upstream.items() if was and was.turn.upstream.get(nr) != digest]
    return PromptParts(
        stage_nr=stage.nr,
        stage_key=stage.key,
        stage_prompt=stage.prompt(),
        stage_title=stage.title,
        run_root=str(run.root),
        draft_path=run.relative(attempt.draft),
        brief=read_text(run.brief),
        call_minutes=max(1, int(opened.settings.for_stage(stage.nr).limits.wall_s // 60)),
        memory="" if is_long else remembered,
        memory_digest=digest_file(run.memory) if is_long else "",
        handoffs=handoffs(opened, stage),
        index_rows=rows_of_indexes(opened) if stage.shows_index else (),
        feedback=read_text(attempt.folder / "feedback.md"),
        reason=continuation_reason(work, attempt),
        upstream_changes=tuple(f"stage {nr} {opened.table.stage(nr).name} changed" for nr in changed),
        failed_rules=failed,
        venue=venue_fields(run.pinned, opened.settings.venue),
        requirements=(*(MUST_LEAVE[name] for name in stage.requires), *map(wanted_text, stage.leaves)),
        experiments=experiment_rows(run) if stage.runs_experiments or stage.shows_index else (),
        trials=tuple(map(trial_words, trial_plans(run))),
    )


def earlier_work(run: Run, stage: Stage) -> tuple[str, ...]:
    """Where the last version of a stage and its last draft are."""
    summary = run.summary(stage.key)
    drafts = (attempt_of(run, stage.nr, number).draft for number in reversed(attempt_numbers(run, stage.nr)))
    draft = next((path for path in drafts if read_text(path)), None)
    found = {"last version": summary if summary.is_file() else None, "last draft": draft}
    return tuple(f"{what}: {run.relative(path)}" for what, path in found.items() if path)


def experiment_rows(run: Run) -> tuple[str, ...]:
    """One line an experiment that has ended: its name, its number, where its results are."""
    rows = []
    for plan in plans(run):
        outcome = read_record(plan.done_file) or {}
        if outcome:
            where = ", ".join(outcome.get("exports", {})) or run.relative(plan.folder)
            rows.append(f"{plan.name}: {outcome.get('summary', 'ended')} (results: {where})")
    return tuple(rows)


def continuation_reason(work: OpenTurn, attempt: Attempt) -> str:
    if attempt.number > work.first_attempt:
        return "interrupted"
    return {"refine": "refine", "revise": "upstream changed", "redo": "redo"}.get(work.why, "interrupted")


def handoffs(opened: RunConfig, stage: Stage) -> tuple[tuple[str, str], ...]:
    """The newest handoffs of the stages this one rests on."""
    ancestors = opened.table.ancestors(stage.nr)[-HANDOFFS:]
    found = ((up.nr, read_text(opened.run.handoff(up.nr))) for up in ancestors)
    return tuple((nr, text) for nr, text in found if text)


def rows_of_indexes(opened: RunConfig) -> tuple[str, ...]:
    rows: list[str] = []
    for kind in INDEX_KINDS:
        index = read_record(opened.run.index(kind))
        if index:
            rows += index_rows(index, INDEX_ROWS)
    return tuple(rows)
