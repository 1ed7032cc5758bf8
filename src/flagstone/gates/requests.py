"""A person's requests: changes, a new start, a step back, a stop. Each is a file anyone can write."""

from __future__ import annotations

from flagstone import seals
from flagstone.errors import FlagstoneError
from flagstone.gates.content import offer_of
from flagstone.gates.moment import waiting_feedback
from flagstone.gates.names import take_up_names
from flagstone.gates.runs import RunConfig, last_publication
from flagstone.gates.sealing import command_decision, touch
from flagstone.layout import Run
from flagstone.locks import holder_of
from flagstone.records import digest_bytes, write_atomic
from flagstone.stages import Stage


def refine(opened: RunConfig, stage: Stage, words: str) -> None:
    """Writes feedback/NN.md. Feedback that is not taken up yet is added to, never overwritten."""
    if not words.strip():
        raise FlagstoneError("there is no feedback", hint=f'say what to change: flagstone refine {stage.nr} "…"')
    was = last_publication(opened.run, stage.nr, offer_of(opened.run, stage))
    if was is None and not holder_of(opened.run.drafts(stage.nr) / ".lock"):
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} has nothing to refine yet",
            hint=f"run it first: flagstone run {opened.run.name}",
        )
    path = opened.run.feedback(stage.nr)
    text = words.strip() + "\n"
    waiting = waiting_feedback(opened.run, stage)
    if waiting.strip():
        text = waiting.decode("utf-8", errors="replace").rstrip() + "\n\n" + text
    if was and digest_bytes(text.encode()) == was.turn.feedback:
        text += "\n"  # the same words once more are asked once more
    write_atomic(path, text.encode())


def redo(opened: RunConfig, stage: Stage) -> None:
    """Touches redo/NN: the stage starts anew, in a new conversation."""
    touch(opened.run, opened.run.redo(stage.nr))


def rollback(opened: RunConfig, stage: Stage, why: str) -> list[Stage]:
    """Takes back the approval of a stage and of all that rests on it; what was never approved stays so."""
    take_up_names(opened)
    revoked = []
    for each in (stage, *opened.table.descendants(stage.nr)):
        flag = opened.run.flag(each.nr)
        if flag.exists():
            decision = command_decision(why)
            seals.record(opened.run, "revoked", each.nr, decision, because=f"rollback to {stage.nr}")
            flag.unlink()
            revoked.append(each)
    return revoked


def abort(run: Run, why: str) -> None:
    """Writes the file that stops a run, with the reason in it."""
    decision = command_decision(why)
    line = f"{why.strip() or 'no reason given'} ({decision.who}, {decision.at})\n"
    write_atomic(run.aborted, line.encode())


def resume(run: Run) -> bool:
    """Removes the file that stops a run; the reason moves to history."""
    if not run.aborted.exists():
        return False
    kept = run.root / "history"
    kept.mkdir(exist_ok=True)
    number = sum(1 for _ in kept.glob("aborted-*")) + 1
    run.aborted.rename(kept / f"aborted-{number:04d}")
    return True
