"""One session of a marker: runs until its experiments are made, a limit is used up, or a person is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import SessionLimits, engine_of
from flagstone.experiments.ledger import Entry, History, Progress
from flagstone.experiments.proposers import Proposer
from flagstone.locks import hold
from flagstone.markers.compile import has_open_hold_out, spec_values
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.homes import CarryingProposer, Opening, open_home
from flagstone.markers.marker import Marker, MarkerStatus
from flagstone.markers.profile import profile_notices
from flagstone.markers.reporting import run_lines
from flagstone.markers.session_log import keep_lines
from flagstone.plans import Home, Spec, spec_of
from flagstone.records import read_record, utc, write_record

AFTER: dict[str, MarkerStatus] = {"halt": "needs_human", "primary_threshold": "completed"}


@dataclass(frozen=True)
class SessionOptions:
    """How a person wants a session to be begun."""

    is_forced: bool = False
    is_resumed: bool = False
    is_fresh: bool = False
    at_head: bool = False


@dataclass(frozen=True)
class Watch:
    """Where a session reports: `say` prints a line, and `lines` gives the lines for a verdict."""

    say: Callable[[str], None]
    lines: Callable[[Home, Entry, Spec], Iterable[str]] = run_lines


@dataclass(frozen=True)
class SessionResult:
    """What a session came to. The counts are those of this session, `kept` without what an earlier one had kept."""

    marker: str
    home: str
    runs: int
    kept: int
    discarded: int
    crashed: int
    violations: int
    baseline: float | None
    best: float | None
    best_run: str
    status: MarkerStatus
    ended_by: str
    cost_usd: float
    tokens: float


def status_of(marker: Marker) -> MarkerStatus:
    """The status that a command or a halt has set, or else the one in the marker file."""
    record = read_record(MarkerFolder.of(marker.repository, marker.name).status)
    found: MarkerStatus = record["status"] if record else marker.status
    return found


def set_status(marker: Marker, status: MarkerStatus) -> None:
    folder = MarkerFolder.of(marker.repository, marker.name)
    folder.root.mkdir(parents=True, exist_ok=True)
    write_record(folder.status, {"status": status, "set_at": utc(time.time())})


def refuse_if_at_rest(marker: Marker, options: SessionOptions) -> None:
    status = status_of(marker)
    if status == "needs_human" and not options.is_resumed:
        raise FlagstoneError(
            f"marker {marker.name} needs a person: its last session ended after too many failures in a row",
            hint=f"read flagstone marker results {marker.name!r}; then: flagstone marker run {marker.name!r} --resume",
        )
    if status not in ("active", "needs_human") and not options.is_forced:
        raise FlagstoneError(
            f"marker {marker.name} is not active: its status is {status}",
            hint=f"run it all the same: flagstone marker run {marker.name!r} --force",
        )


def run_session(
    marker: Marker,
    schemas: Path,
    proposer_of: Callable[[Spec], Proposer | None],
    watch: Watch,
    options: SessionOptions | None = None,
) -> SessionResult:
    """Makes the runs of one session. A session that was killed goes on with the experiments that it had left."""
    options = options or SessionOptions()
    refuse_if_at_rest(marker, options)
    folder = MarkerFolder.of(marker.repository, marker.name)
    folder.root.mkdir(parents=True, exist_ok=True)
    with hold(folder.lock, f"marker {marker.name}"), keep_lines(folder, watch.say) as say:
        if options.is_resumed:
            set_status(marker, "active")
        # whoever cannot propose is refused before there is a folder
        inner = proposer_of(spec_of(marker.name, marker.repository, spec_values(marker, at_head=options.at_head)))
        opening = open_home(marker, schemas, at_head=options.at_head, is_fresh=options.is_fresh)
        for line in opening.opened.subject.notices(opening.opened.base):
            say(line)
        if has_open_hold_out(marker):
            say("agents can read all that the hidden check uses; name files that only it uses in hidden.paths")
        committed = opening.opened.subject.tree(opening.opened.base.tree).files
        for line in () if marker.loop.script else profile_notices(marker, committed):
            say(line)
        before = History.read(opening.opened.home).progress
        limits = limits_of(marker, folder, before, opening.opened.home.root.name)
        proposer = CarryingProposer(inner, opening)
        with engine_of(opening.opened, proposer, say) as engine:
            if options.is_resumed:
                engine.history.count_anew()
            ended = replace(engine, lines=watch.lines).run(session=limits)
        folder.session.unlink(missing_ok=True)
        if ended in AFTER:
            set_status(marker, AFTER[ended])
        after = History.read(opening.opened.home).progress
        say_claim(marker, after, say)
        return result_of(marker, opening, before, after, ended)


def limits_of(marker: Marker, folder: MarkerFolder, now: Progress, home: str) -> SessionLimits:
    """What this session may take. One that goes on after a kill makes the experiments that the killed one had left."""
    record = read_record(folder.session) or {}
    until = int(record["until"]) if record.get("home") == home else now.experiments + marker.loop.max_experiments
    write_record(folder.session, {"home": home, "until": until, "began_at": utc(time.time())})
    budgets = marker.loop.budgets
    return SessionLimits(budgets.usd, wall_limit_s(marker), budgets.tokens, max(0, until - now.experiments))


def wall_limit_s(marker: Marker) -> float | None:
    limits = [each for each in (marker.loop.budgets.wall_s, marker.schedule.duration_s) if each is not None]
    return min(limits, default=None)


def say_claim(marker: Marker, now: Progress, say: Callable[[str], None]) -> None:
    """Says where the baseline in the marker file is not what was measured."""
    claim, measured = marker.metric.baseline, now.baseline[0] if now.baseline else None
    if claim is not None and measured is not None and claim != measured:
        say(f"the marker file says that the baseline is {claim:g}; measured: {measured:g}")


def result_of(marker: Marker, opening: Opening, before: Progress, after: Progress, ended: str) -> SessionResult:
    def more(*words: str) -> int:
        return sum(after.verdicts.get(word, 0) - before.verdicts.get(word, 0) for word in words)

    runs = after.number - before.number
    crashed, violations = more("crash", "timeout"), more("invalid")
    return SessionResult(
        marker=marker.name,
        home=str(opening.opened.home.root),
        runs=runs,
        kept=after.gains - before.gains,
        discarded=runs - more("advance") - crashed - violations,
        crashed=crashed,
        violations=violations,
        baseline=after.baseline[0] if after.baseline else None,
        best=after.best_value,
        best_run=after.best_run,
        status=status_of(marker),
        ended_by=ended.partition("(")[0],
        cost_usd=after.cost_usd - before.cost_usd,
        tokens=after.tokens - before.tokens,
    )
