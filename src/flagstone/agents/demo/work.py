"""The child's side of a call: it carries out the actions one after the other and says how it went."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from flagstone.agents.demo.script import Action
from flagstone.agents.demo.voice import conclude, deny, utter
from flagstone.agents.protocol import AgentCall, Outcome
from flagstone.errors import FlagstoneError, Interrupted

FAILED = 1
INTERRUPTED = 130


def carry_out(call: AgentCall, actions: Sequence[Action]) -> int:
    """All actions of a call, in the child process; the exit code."""
    free_start_lock()
    stage = call.task.stage
    turn = "goes on with" if call.conversation.resume else "starts"
    utter(
        "session",
        f"scripted demo agent {turn} stage {stage}, attempt {call.task.attempt}: no model is involved",
    )
    for action in actions:
        ended = do_study(call) if action.name == "study" else perform(call, action)
        if ended is not None:
            return ended
    conclude(call.conversation.session_id, Outcome.OK, f"stage {stage} is done, by script")
    return 0


def free_start_lock() -> None:
    """Lets this child start children: the lock was held by whoever forked us, who does not exist here."""
    from flagstone.processes import starting

    if starting.locked():
        starting.release()


def perform(call: AgentCall, action: Action) -> int | None:
    from flagstone.agents.demo import mischief  # here, not above: a real run has none

    try:
        return mischief.perform(call, action)
    except PermissionError as error:
        deny(action.name, f"{error.strerror}: {error.filename}")
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        deny(action.name, f"{error.strerror}: {error.filename}")
    return None


def prepare(actions: Sequence[Action]) -> None:
    """Loads what a script needs once in the parent, rather than in every child."""
    if any(action.name != "study" for action in actions):
        import flagstone.agents.demo.mischief  # noqa: F401


def do_study(call: AgentCall) -> int | None:
    """The genuine stage; what stops it is said in one line and is no crash."""
    from flagstone.agents.demo.stages import STAGES
    from flagstone.agents.demo.study import Study, explained

    if call.task.stage not in STAGES:
        reason = f"the demo agent has no stage {call.task.stage}: it knows {', '.join(STAGES)}"
        conclude(call.conversation.session_id, Outcome.CONFIG, reason)
        return FAILED
    try:
        summary = STAGES[call.task.stage](Study(call))
    except Interrupted:
        return INTERRUPTED  # without a result: whoever stopped us knows why
    except FlagstoneError as error:
        conclude(call.conversation.session_id, Outcome.CONFIG, explained(error))
        return FAILED
    # in place: the draft may be written, the folder of the attempt may not
    call.task.draft.write_text(summary.markdown(), encoding="utf-8")
    utter("text", f"wrote the summary of stage {call.task.stage}")
    return None
