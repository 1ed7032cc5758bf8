"""One stage, from what is asked to what is published. The loop belongs to us, never to the agent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from flagstone.agents import (
    Agent,
    AgentCall,
    AgentResult,
    CallFrame,
    CallOutcome,
    Conversation,
    Limits,
    Mode,
    Task,
)
from flagstone.agents.accounts import LOG, Budget, Patience, spending_of
from flagstone.artifacts import RuleCheck
from flagstone.drafting import inspection, promotion, work
from flagstone.drafting.context import StageContext
from flagstone.drafting.guard import grant_kept, guard_of
from flagstone.drafting.outage import PASSES, Outage, wait_after
from flagstone.drafting.prompting import prompt_for
from flagstone.drafting.registries import checks_after_outage
from flagstone.drafting.reviewing import Reviews, is_of_review, review_of_others
from flagstone.drafting.work import Attempt, OpenTurn
from flagstone.errors import FlagstoneError, Interrupted, Paused, WorkFailed
from flagstone.gates import RunConfig, history, may_stand, next_turn, read_moment
from flagstone.layout import Run
from flagstone.locks import hold, holder_of
from flagstone.records import read_as, write_record
from flagstone.stages import Stage
from flagstone.text import clock_text, count_text, one_line

ENDS_AT_ONCE = {
    CallOutcome.AUTH: "log in to the agent again (flagstone doctor says how)",
    CallOutcome.CONFIG: "correct the agent's settings in run.yaml",
    CallOutcome.BUDGET: "raise the budget in run.yaml",
    CallOutcome.UNCLEAN: "end these processes, or wait until they are gone",
}
QUOTED_CHARACTERS = 300


def build(opened: RunConfig, stage: Stage, context: StageContext) -> str:
    """Brings a stage up to what is asked of it; returns what was done, in words."""
    run = opened.run
    lock = run.drafts(stage.nr) / ".lock"
    other = holder_of(lock)
    if other:
        context.say(f"waiting for process {other.get('pid')}, which still works on stage {stage.nr}")
    with hold(lock, f"stage {stage.nr} of run {run.name}", wait=True):
        moment = read_moment(opened)
        turn, was = next_turn(moment, stage), moment.stages[stage.nr].publication
        if was and was.turn.key == turn.key and history.republish(run, stage, was):
            return "published again, unchanged"
        if was:
            history.republish(run, stage, was)  # it can be read, and approved again, until there is a better one
        promotion.take_up_marks(run, stage.nr)
        open_turn = work.start_turn(run, stage, turn, was)
        try:
            context.work.begin()
            inspection.remember_before(opened, stage, open_turn)
            attempt = until_it_passes(opened, stage, open_turn, context)
        except Interrupted:
            raise
        except FlagstoneError as error:
            if was and may_stand(moment, stage):
                error.hint += (
                    f"; or keep the last version (attempt {was.attempt}): flagstone approve {stage.nr} --run {run.name}"
                )
            now = work.open_turn_of(run, stage.nr) or open_turn
            failure: dict[str, object] = {
                "problem": error.problem,
                "hint": error.hint,
                "exit_code": error.exit_code,
            }
            if isinstance(error, Paused):
                failure["until_s"] = error.until_s
            work.save(run, stage.nr, replace(now, failure=failure))
            raise
        finally:
            opened.cache.save()
        return f"published attempt {attempt.number}"


def until_it_passes(opened: RunConfig, stage: Stage, open_turn: OpenTurn, context: StageContext) -> Attempt:
    """Attempt, check, repair: until the checks pass, or the attempts are used up."""
    limits = opened.settings.for_stage(stage.nr).limits
    outage = Outage(f"stage {stage.nr} {stage.name}", opened.run.name, limits)
    while True:
        refuse_if_aborted(opened.run)
        tried = work.attempts_since(opened.run, stage.nr, open_turn.first_attempt)
        last = tried[-1] if tried else None
        if last and passes_checks(opened, stage, open_turn, last, context):
            promotion.promote(opened, stage, open_turn, last)
            return last
        result = result_of(last) if last else None
        spent = attempts_spent(tried, opened.settings.review_rounds) - open_turn.fresh_starts
        if last and result:
            open_turn = after_failure(opened, stage, open_turn, tried, spent >= limits.attempts)
            if result.outcome is not CallOutcome.SESSION_LOST:  # that call never reached the service
                wait_out(outage, tried, context)
            refuse_if_aborted(opened.run)
        make_attempt(opened, stage, open_turn, last_answered(tried), context)
        open_turn = work.open_turn_of(opened.run, stage.nr) or open_turn


def refuse_if_aborted(run: Run) -> None:
    if run.aborted.exists():
        raise Interrupted(f"run {run.name} was aborted", hint="continue: flagstone resume")


def wait_out(outage: Outage, attempts: list[Attempt], context: StageContext) -> None:
    """If the agent's service is away, waits for it. Raises an error after the time that the limits allow."""
    now_s = time.time()
    wait = wait_after(attempts, now_s)
    pause_s = outage.pause_s(wait, now_s)
    if wait:
        again = f"; next try at {clock_text(now_s + pause_s, now_s)}" if wait.until_s is None else ""
        context.say(f"{wait.text(now_s)}{again}; this uses up no attempt")
        context.sleep(pause_s)


def passes_checks(
    opened: RunConfig, stage: Stage, open_turn: OpenTurn, attempt: Attempt, context: StageContext
) -> bool:
    """Checks a finished attempt; what was found is recorded beside it, whatever it is."""
    result = result_of(attempt)
    if result is None or result.outcome is not CallOutcome.OK:
        return False

    def find_faults() -> list[RuleCheck]:
        refuse_if_aborted(opened.run)
        found = (*inspection.inspect(opened, stage, open_turn, attempt), *context.work.checks(), grant_kept(result))
        return [*found, *review_of_others(opened, stage)]

    checks = checks_after_outage(find_faults, opened, stage, context)
    is_good = all(check.status != "failed" for check in checks)
    if is_good and stage.reviewers:
        checks.append(
            Reviews(opened, stage, attempt, frame_of(opened, stage, context.judge or context.agent, context)).check()
        )
    write_record(attempt.checks, {"stage": stage.nr, "attempt": attempt.number, "checks": [vars(c) for c in checks]})
    failed = [check for check in checks if check.status == "failed"]
    for check in failed:
        context.say(f"✗ {check.rule}: {check.message}")
    passed = sum(check.status == "passed" for check in checks)
    unchecked = sum(check.status == "not checked" for check in checks)
    if not failed:
        context.say(f"✓ {count_text(passed, 'check')} passed" + (f", {unchecked} not checked yet" if unchecked else ""))
    return not failed


def after_failure(
    opened: RunConfig, stage: Stage, open_turn: OpenTurn, tried: list[Attempt], is_last: bool
) -> OpenTurn:
    """What the next attempt goes on with; or the end, with the reason."""
    key, attempt = f"stage {stage.nr} {stage.name}", tried[-1]
    *earlier, outcome = [outcome_of(each) for each in tried]
    result = result_of(attempt)
    assert result is not None  # an attempt without a result is made again
    if outcome in ENDS_AT_ONCE:
        raise WorkFailed(f"{key} failed: {result.reason}", hint=f"{ENDS_AT_ONCE[outcome]}, then run it again")
    # some CLIs cannot continue a conversation: each call that they answer may be followed by a new one
    is_first_loss = (
        outcome is CallOutcome.SESSION_LOST and open_turn.used and earlier[-1:] != [CallOutcome.SESSION_LOST]
    )
    if is_first_loss or (outcome is CallOutcome.CONTEXT and open_turn.fresh_starts == 0):
        return work.fresh_conversation(opened.run, stage.nr, open_turn)
    if is_last and outcome not in PASSES:
        why = "; ".join(f"{rule}: {message}" for rule, message in attempt.failed_rules()[:4]) or result.reason
        if has_no_draft(attempt) and result.text:
            why += f"; the agent's last words: {one_line(result.text[-QUOTED_CHARACTERS:], QUOTED_CHARACTERS)}"
        where = opened.run.relative(attempt.folder)
        # what is missing on the machine or in the project is for a person to cure, and no fault of the work
        raise (FlagstoneError if is_of_setup(attempt) else WorkFailed)(
            f"{key} failed after {attempt.number - open_turn.first_attempt + 1} attempts: {why}",
            hint=f"look at {where}, then run it again, or write what to change to feedback/{stage.nr}.md",
        )
    return open_turn


def is_of_setup(attempt: Attempt) -> bool:
    """Whether only the checks of a set-up failed."""
    failed = attempt.failed_rules()
    return bool(failed) and all(rule.startswith("setup-") for rule, _ in failed)


def last_answered(tried: list[Attempt]) -> Attempt | None:
    """The last attempt that the agent answered, so that what its checks found is not lost with a later call."""
    unanswered = (CallOutcome.SESSION_LOST, CallOutcome.CONTEXT, *PASSES)
    return next((attempt for attempt in reversed(tried) if outcome_of(attempt) not in unanswered), None)


def attempts_spent(tried: list[Attempt], review_rounds: int) -> int:
    """How many attempts are used up. An interruption, an outage and the rounds of a review use up none."""
    ended = [each for each in tried if outcome_of(each) not in (None, CallOutcome.INTERRUPTED, *PASSES)]
    reviewed = sum(is_of_review(each.failed_rules()) for each in ended)
    return len(ended) - min(reviewed, review_rounds)


def has_no_draft(attempt: Attempt) -> bool:
    """Whether an attempt has written nothing."""
    return not attempt.draft.is_file() or attempt.draft.stat().st_size == 0


def make_attempt(
    opened: RunConfig, stage: Stage, open_turn: OpenTurn, before: Attempt | None, context: StageContext
) -> None:
    """One agent call, on record and counted towards the budgets from before it starts."""
    run, frame = opened.run, frame_of(opened, stage, context.agent, context)
    attempt = work.attempt(run, stage.nr, work.next_attempt(run, stage.nr))
    call = call_for(opened, stage, open_turn, attempt)
    with frame.claim(call) as claimed:
        work.make_folder(attempt)
        promotion.keep_request(run, stage.nr, attempt, open_turn)
        call = replace(call, prompt=prompt_for(opened, stage, open_turn, attempt, before))
        # from here on the conversation may exist on the agent's side, whatever happens to us
        work.save(run, stage.nr, replace(open_turn, used=True))
        context.say(
            f"stage {stage.nr} {stage.name}, attempt {attempt.number}: starting {frame.agent.name} ({open_turn.why})"
        )
        result = claimed.carry_out(call, context.on_event)
    if result.outcome is CallOutcome.INTERRUPTED:
        raise Interrupted(f"stage {stage.nr} was interrupted", hint=f"continue: flagstone run {run.name}")
    context.say(how_it_ended(run, attempt, result))
    if result.outcome is not CallOutcome.OK and result.violations:
        context.say(f"✗ {grant_kept(result).message}")


def frame_of(opened: RunConfig, stage: Stage, find: Callable[[], Agent], context: StageContext) -> CallFrame:
    """What surrounds each call of a stage. Raises an error if the agent cannot be used."""
    agent = find()
    fault = agent.fault()
    if fault:
        raise FlagstoneError(fault[0], hint=fault[1])
    patience = Patience(context.say, context.sleep)
    return CallFrame(agent, opened.run.logs / LOG, budgets(opened, stage), guard_of(opened, agent), patience)


def budgets(opened: RunConfig, stage: Stage) -> list[Budget]:
    """The budgets that a call of this stage draws on."""
    of_stage = opened.settings.for_stage(stage.nr).budget
    return [
        Budget.of(f"run {opened.run.name}", opened.settings.budget),
        Budget.of(f"stage {stage.nr}", of_stage, stage=stage.nr),
    ]


def call_for(opened: RunConfig, stage: Stage, open_turn: OpenTurn, attempt: Attempt) -> AgentCall:
    """The call of an attempt, still without its prompt."""
    run, settings = opened.run, opened.settings.for_stage(stage.nr)
    allowed = settings.limits
    return AgentCall(
        prompt="",
        conversation=Conversation(open_turn.session_id, resume=open_turn.used),
        task=Task(stage.nr, stage.title, attempt.number, run.root, attempt.draft),
        mode=Mode(stage.mode),
        writable=(run.workspace, attempt.draft),
        model=settings.model,
        limits=Limits(allowed.wall_s, min(allowed.silence_s, allowed.wall_s), allowed.turns, allowed.cost_usd),
        record_dir=attempt.folder,
        options=settings.options,
        sandbox=opened.settings.sandbox,
    )


def how_it_ended(run: Run, attempt: Attempt, result: AgentResult) -> str:
    """One line for the terminal: how a call ended, and what it and the run have cost."""
    why = "" if result.outcome is CallOutcome.OK else f": {result.reason}"
    so_far = spending_of(run.logs / LOG)
    known = "" if so_far.cost_usd is not None else " and calls of unknown cost"
    cost = "cost unknown" if result.cost_usd is None else f"${result.cost_usd:.2f}"
    total = f"the run so far ${so_far.known_usd:.2f}{known}"
    return f"attempt {attempt.number} ended: {result.outcome.value}{why} ({cost}; {total})"


def outcome_of(attempt: Attempt) -> CallOutcome | None:
    result = result_of(attempt)
    return result.outcome if result else None


def result_of(attempt: Attempt) -> AgentResult | None:
    """How an attempt's call ended; None when it was cut off before that was written."""
    if not attempt.result.exists():
        return None
    found = read_as(attempt.result, AgentResult)
    if found is None:
        raise FlagstoneError(f"cannot read {attempt.result}", hint="move the attempt's folder away and run again")
    return found
