"""How a trial ends: the verdict of each idea, the revealed seeds, and the files that a stage finds."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from flagstone.plans import TrialFolder, TrialSpec, unused_path
from flagstone.records import digest_bytes, read_record, write_atomic, write_record
from flagstone.trials.deciding import confirmation, verdict
from flagstone.trials.lines import VerdictLine
from flagstone.trials.outcomes import IdeaOutcome, LookResult, Outcome
from flagstone.trials.running.judging import StepJudge
from flagstone.trials.running.opening import OpenedTrial
from flagstone.trials.running.state import TrialState
from flagstone.trials.running.steps import arms_of, chosen_arms
from flagstone.trials.sealing import prereg_fault, sealed_seeds

COLUMNS = ("trial", "arm", "slot", "seed", "status", "value", "wall_s", "reason")
LEADING = (Outcome.SUPPORTED, Outcome.PROCEED)  # one such idea is how the whole trial ended


def verdict_line(judge: StepJudge) -> VerdictLine:
    """The line that ends the ledger."""
    opened, state = judge.opened, judge.state
    fault, sealed = prereg_fault(opened.folder, state.lines), sealed_seeds(opened.folder)
    tampered = state.was_tampered_with
    seeds = sealed.seeds if sealed else {}
    ideas = () if tampered else tuple(idea_outcomes(judge, fault, seeds))
    return VerdictLine(
        outcome=Outcome.STOPPED if tampered else whole_outcome(ideas),
        ideas=ideas,
        at=judge.at,
        exploratory=fault if opened.spec.gate == "confirm" else "",
        seeds=seeds,
        salt=sealed.salt if sealed else "",
        reason=tampered or (ideas[0].reason if len(ideas) == 1 else ""),
    )


def whole_outcome(ideas: tuple[IdeaOutcome, ...]) -> Outcome:
    """That of the only idea, or the best that one of several came to."""
    words = [idea.outcome for idea in ideas]
    leading = next((word for word in LEADING if word in words), None)
    if leading is None and Outcome.NOT_TRIED in words:
        return Outcome.STOPPED
    return leading or (words[0] if len(set(words)) == 1 else Outcome.NOTHING_FOUND)


def idea_outcomes(judge: StepJudge, fault: str, seeds: Mapping[str, int]) -> Iterator[IdeaOutcome]:
    """What became of each arm that has code, and of each idea that has none."""
    spec, state = judge.opened.spec, judge.state
    looks = tuple(with_seeds(found, seeds) for look in state.confirmations for found in look.looks)
    confirmed = {found.arm: found for found in looks}
    chosen = chosen_arms(spec, state) if spec.gate == "confirm" else ()
    for arm in (*arms_of(spec, state), *(name for name, idea in state.story.ideas.items() if idea.failure)):
        checked, screened, compared = (state.of(what).get(arm) for what in ("checks", "screen", "compare"))
        idea = state.story.ideas.get(arm)
        last = confirmed.get(arm)
        outcome, reason = outcome_of(judge, arm, fault, is_chosen=arm in chosen)
        slots = [pair.slot for pair in last.pairs] if last else []
        runs = (*state.control(slots), *state.outcomes(arm, slots))
        yield IdeaOutcome(
            arm=arm,
            title=idea.title if idea else arm,
            outcome=outcome,
            reason=reason,
            checks=checked.checks if checked else (),
            screen=screened.screen if screened else None,
            looks=tuple(found for found in looks if found.arm == arm),
            confirmation=confirmation(last, judge.direction, runs) if last else None,
            compare=compared.compare if compared else None,
        )


def with_seeds(look: LookResult, seeds: Mapping[str, int]) -> LookResult:
    """The same look with the seeds, which are revealed with the verdict."""
    return replace(look, pairs=tuple(replace(pair, seed=seeds.get(pair.slot)) for pair in look.pairs))


def outcome_of(judge: StepJudge, arm: str, fault: str, *, is_chosen: bool) -> tuple[Outcome, str]:
    """The word for one arm, and why: that of the last step that it came to."""
    state = judge.state
    idea, checked = state.story.ideas.get(arm), state.of("checks").get(arm)
    screened, compared = state.of("screen").get(arm), state.of("compare").get(arm)
    last = next((found for look in reversed(state.confirmations) for found in look.looks if found.arm == arm), None)
    if idea and idea.failure:
        return Outcome.NOT_TRIED if idea.is_untried else Outcome.FAILED_CHECK, idea.failure
    failed = next((check for check in checked.checks if not check.is_passed), None) if checked else None
    if failed:
        return Outcome.FAILED_CHECK, f"{failed.check}: {failed.reason}"
    if last:
        return verdict(last, judge.minimum_effect, fault)
    if compared and compared.compare and compared.compare.outcome:
        return compared.compare.outcome, compared.compare.reason
    if screened and screened.screen and screened.screen.is_dropped:
        return Outcome.DROPPED, screened.screen.reason
    return (Outcome.NOT_SELECTED, "another idea did better on the screening seeds") if screened else NOT_TRIED


NOT_TRIED = (Outcome.NOT_TRIED, "the trial ended before")


def reveal(folder: TrialFolder) -> None:
    """Moves the confirmation runs to the others, once the verdict has told their seeds.

    Those of an earlier trial in this folder, which had other seeds, go aside.
    """
    sealed = folder.sealed / "runs"
    if sealed.is_dir():
        (folder.root / "runs").mkdir(exist_ok=True)
        for name in sorted(os.listdir(sealed)):
            place = folder.root / "runs" / name
            if place.exists():
                os.rename(place, unused_path(place))
            os.rename(sealed / name, place)


def finish(opened: OpenedTrial, state: TrialState, ledger: tuple[int, str, bool]) -> None:
    """Puts the results of a run's trial where stages look for them, and says that the trial has ended."""
    plan, verdict = opened.plan, state.story.verdict
    assert verdict is not None
    is_of_run = (plan.base / "run.yaml").is_file()
    files = dict(exports(opened.folder, opened.spec, state)) if is_of_run else {}
    for path, content in files.items():
        write_atomic(plan.base / path, content)
        write_atomic(opened.folder.root / "exports" / os.path.basename(path), content)
    facts = {
        "plan": plan.digest,
        "outcome": str(verdict.outcome),
        "exploratory": verdict.exploratory,
        "ledger": ledger,
        "exports": {path: digest_bytes(content) for path, content in files.items()},
    }
    write_record(opened.folder.done, facts)


def exports(folder: TrialFolder, spec: TrialSpec, state: TrialState) -> Iterator[tuple[str, bytes]]:
    """The verdict and every run. Each record names the trial, as results have to."""
    top = f"workspace/results/{folder.name}"
    record = {"trial": folder.name, **(read_record(folder.verdict) or {})}
    yield f"{top}/verdict.json", json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n"
    yield f"{top}/runs.csv", table(spec, state)


def table(spec: TrialSpec, state: TrialState) -> bytes:
    """Every run as a row, failed ones too."""
    seeds: Mapping[str, int] = state.story.verdict.seeds if state.story.verdict else {}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in state.story.runs.values():
        seed = seeds.get(run.slot) if run.slot.startswith("b") else spec.seed_of(run.slot)
        writer.writerow((spec.name, run.arm, run.slot, seed, run.status, run.value, run.wall_s, run.reason))
    return stream.getvalue().encode()
