"""The child's side of a call: it carries out the stage and says how it went."""

from __future__ import annotations

from flagstone.agents.demo.campaign import campaign_stages, is_of_campaign
from flagstone.agents.demo.messages import conclude, utter
from flagstone.agents.demo.roles import answer_of, role_in, write_idea
from flagstone.agents.demo.stages import STAGES
from flagstone.agents.demo.study import Study, explanation
from flagstone.agents.protocol import AgentCall, CallOutcome, Mode
from flagstone.errors import FlagstoneError, Interrupted

FAILED = 1
INTERRUPTED = 130


def carry_out(call: AgentCall) -> int:
    """The whole call, in the child process; returns the exit code."""
    begin(call)
    if call.mode is not Mode.WORK:
        return play_role(call)
    ended = carry_out_study(call)
    if ended is not None:
        return ended
    conclude(call.conversation.session_id, CallOutcome.OK, f"stage {call.task.stage} is done, by script")
    return 0


def play_role(call: AgentCall) -> int:
    """One role of a campaign: an answer in the form that was asked for, or an edit."""
    session, role = call.conversation.session_id, role_in(call)
    if role is None:
        conclude(
            session, CallOutcome.CONFIG, "the demo agent carries out stages and the roles of a campaign, nothing else"
        )
        return FAILED
    number, name = role
    try:
        if call.mode is Mode.EDIT:
            conclude(session, CallOutcome.OK, write_idea(call, number))
        else:
            conclude(
                session,
                CallOutcome.OK,
                f"the {name} answers by script",
                structured=answer_of(number, name, call.prompt),
            )
    except (FlagstoneError, OSError) as error:
        conclude(session, CallOutcome.CONFIG, explanation(error) if isinstance(error, FlagstoneError) else str(error))
        return FAILED
    return 0


def begin(call: AgentCall) -> None:
    """Says what starts here, and lets this child start children of its own."""
    from flagstone.processes import starting

    if starting.locked():  # whoever forked us held the lock, and does not exist here
        starting.release()
    turn = "goes on with" if call.conversation.resume else "starts"
    stage = f"stage {call.task.stage}, attempt {call.task.attempt}"
    utter("session", f"scripted demo agent {turn} {stage}: no model is involved")


def carry_out_study(call: AgentCall) -> int | None:
    """The stage of the study; whatever stops it is said in one line. Returns None if all went well."""
    stages = campaign_stages() if is_of_campaign(call.task.title) else STAGES
    if call.task.stage not in stages:
        reason = f"the demo agent has no stage {call.task.stage}: it knows {', '.join(stages)}"
        conclude(call.conversation.session_id, CallOutcome.CONFIG, reason)
        return FAILED
    try:
        summary = stages[call.task.stage](Study(call))
    except Interrupted:
        return INTERRUPTED  # without a result: whoever stopped us knows why
    except FlagstoneError as error:
        conclude(call.conversation.session_id, CallOutcome.CONFIG, explanation(error))
        return FAILED
    # in place: the draft may be written, the folder of the attempt may not
    call.task.draft.write_text(summary.markdown(), encoding="utf-8")
    utter("text", f"wrote the summary of stage {call.task.stage}")
    return None
