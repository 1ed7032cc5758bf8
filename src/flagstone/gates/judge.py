"""Whether a stage's gate is open, and if not, why. Judged from one moment; nothing here reads a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from flagstone.gates.content import Content
from flagstone.gates.moment import Flag, Moment, StageFiles
from flagstone.gates.turns import changed_settings, may_stand, next_turn, rebuild_reasons
from flagstone.stages import Stage

SKEW_NS = 2_000_000_000  # a flag may be this far ahead of our clock
SHOWN_CHANGES = 6


class State(StrEnum):
    """What a gate is found to be."""

    NOT_YET = "not yet"
    DUE = "due"  # published, but to be built again
    WAITING = "waiting"
    REVOKED = "revoked"
    STALE = "stale"
    APPROVED = "approved"


@dataclass(frozen=True)
class Verdict:
    """The judgement on one gate. `is_fresh` marks an approval that is not sealed yet."""

    files: StageFiles
    state: State
    reason: str = ""
    is_fresh: bool = False
    held_by: Stage | None = None  # the first closed stage that this one rests on
    may_stand: bool = False  # to be built again, but only because a person asked for it
    notices: tuple[str, ...] = ()  # what an approval did besides

    @property
    def stage(self) -> Stage:
        return self.files.stage

    @property
    def content(self) -> Content | None:
        return self.files.content

    @property
    def attempt(self) -> int:
        return self.files.publication.attempt if self.files.publication else 0

    @property
    def is_open(self) -> bool:
        return self.state is State.APPROVED

    @property
    def is_in_force(self) -> bool:
        """Whether this approval counts: it is given, and so is every one it rests on."""
        return self.is_open and self.held_by is None

    @property
    def is_built(self) -> bool:
        """Whether there is something that a person can approve."""
        return self.state not in (State.NOT_YET, State.DUE)

    @property
    def request(self) -> str:
        """What a person asked for after the last version: feedback, redo, or both."""
        was = self.files.publication
        asks_words = was and self.files.feedback not in (None, was.turn.feedback)
        asks_redo = was and self.files.redo != was.turn.redo
        return " and ".join(word for word, is_asked in (("feedback", asks_words), ("redo", asks_redo)) if is_asked)

    @property
    def is_recalled(self) -> bool:
        """Whether a person approved the last version after asking for another one, while nobody worked on it."""
        flag, seal = self.files.flag, self.files.seal
        if flag is None or flag.is_copied or not self.may_stand or (seal and seal.flag_mtime_ns == flag.mtime_ns):
            return False
        return self.files.asked_ns < min(flag.mtime_ns, flag.made_ns)

    @property
    def words(self) -> str:
        """What is said of the stage after its name."""
        return f"must be built again ({self.reason})" if self.state is State.DUE else self.reason


def judge_gates(moment: Moment) -> dict[str, Verdict]:
    """The verdict on every stage, by number, in table order."""
    found: dict[str, Verdict] = {}
    for stage in moment.table:
        closed = (up for up in moment.table.ancestors(stage.nr) if not found[up.nr].is_open)
        found[stage.nr] = replace(judge_gate(moment, stage), held_by=next(closed, None))
    return found


def judge_gate(moment: Moment, stage: Stage) -> Verdict:
    """The state of one gate by itself, whatever the gates before it are."""
    files = moment.stages[stage.nr]
    was = files.publication
    early = f" (approved/{stage.nr}.flag was there before the stage: it is not an approval)" if files.flag else ""
    if files.content is None and was is None:
        return Verdict(files, State.NOT_YET, f"is not built yet{early}")
    if was:
        turn = next_turn(moment, stage)
        if turn != was.turn and turn.key != was.turn.key:
            why = "; ".join(rebuild_reasons(stage, turn, was))
            return Verdict(files, State.DUE, why, may_stand=may_stand(moment, stage))
        if files.content is None:
            return Verdict(files, State.DUE, "must be published again")
    if files.flag:
        return judge_flag(files, files.flag, moment.now_ns)
    if files.seal:
        return Verdict(files, State.REVOKED, "was approved, and the approval was taken back")
    return Verdict(files, State.WAITING, "waits for you")


def judge_flag(files: StageFiles, flag: Flag, now_ns: int) -> Verdict:
    """The judgement on a flag beside a stage that is built and up to date."""
    name = f"approved/{files.stage.nr}.flag"
    seal, changes = files.seal, changes_since_seal(files)
    if seal and not changes:
        was_taken_back = files.decisions[-1].event != "approved"
        return Verdict(files, State.APPROVED, "is approved", is_fresh=was_taken_back)
    if flag.mtime_ns > now_ns + SKEW_NS:
        why = f"waits for you: {name} has a date in the future and does not count; touch it again"
        return Verdict(files, State.STALE if seal else State.WAITING, why)
    late = first_change_after(files, flag)
    has_age = files.content is None or late not in files.content.missing_files
    if seal and (flag.is_copied or flag.mtime_ns == seal.flag_mtime_ns or late):
        # touched while it was being built
        if late and has_age and not flag.is_copied and flag.mtime_ns != seal.flag_mtime_ns:
            changes.append(f"{name} is older than {late}, so it is not an approval of it")
        return Verdict(files, State.STALE, "changed after it was approved: " + "; ".join(changes))
    if flag.is_copied:
        why = f"waits for you: {name} was copied with the run; touch it again to approve"
        return Verdict(files, State.WAITING, why)
    if late:
        why = f"waits for you: {name} is older than {late}, so it is not an approval of it"
        return Verdict(files, State.WAITING, why)
    return Verdict(files, State.APPROVED, "is approved", is_fresh=True)


def changes_since_seal(files: StageFiles) -> list[str]:
    """What differs from what was sealed, in words; empty if the seal still fits, or if there is none."""
    seal, content = files.seal, files.content
    if seal is None or content is None:
        return []
    found = []
    if seal.digest != content.digest:
        found = content.changes_since(seal.files, seal.index)
        more = len(found) - SHOWN_CHANGES
        found = found[:SHOWN_CHANGES] + ([f"and {more} more"] if more > 0 else [])
        found = found or ["its content changed"]
    return found + setting_changes(files)


def setting_changes(files: StageFiles) -> list[str]:
    """Which settings of an approved stage have changed since its seal, in words."""
    return changed_settings(files.settings, files.seal.settings) if files.seal else []


def first_change_after(files: StageFiles, flag: Flag) -> str:
    """What is younger than the flag, or ''. Untouched files are judged by when we published them."""
    if min(flag.mtime_ns, flag.made_ns) < int(files.offer.get("built_ns", 0)):
        return f"attempt {files.offer.get('attempt', '?')} of the stage"
    return next((path for path, changed_ns in files.moved if changed_ns > flag.mtime_ns), "")


def may_policy_approve(verdict: Verdict) -> bool:
    """A policy approves new work. What a person took back, or settings that changed since, stay a person's."""
    if verdict.state is State.WAITING:
        return True
    return verdict.state is State.STALE and not setting_changes(verdict.files)
