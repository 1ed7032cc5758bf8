"""What runs, stages and experiments may spend: a call is counted before it starts, and held to what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from flagstone.agents.accounts import inflight
from flagstone.agents.accounts.calls import Line, is_call, is_counted_later, lines_of, settled
from flagstone.agents.protocol import Limits, paid, whole
from flagstone.errors import WorkFailed
from flagstone.locks import sole_use
from flagstone.records import Ledger, cannot_write

NAMES = ("usd", "tokens", "agent_calls", "wall_h", "gpu_h")
TINY = 1e-9
LOOK_EVERY_S = 0.2
COUNTED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
# of these agents an interrupted conversation tells what it has cost in all, once it goes on
TELLS_LATER = ("claude",)


@dataclass(frozen=True)
class Purse:
    """One budget, and whose calls draw on it: all of a run's, one stage's, or one experiment's."""

    whose: str
    limits: Mapping[str, float]
    stage: str = ""
    experiment: str = ""

    @classmethod
    def of(cls, whose: str, budget: Mapping[str, float | None], *, stage: str = "", experiment: str = "") -> Purse:
        """The purse of a budget as settings write it: what is not there, or empty, is not limited."""
        return cls(whose, {name: limit for name, limit in budget.items() if limit is not None}, stage, experiment)

    def holds(self, line: Line) -> bool:
        """Whether a line of the log was paid from this purse."""
        wanted = (("stage", self.stage), ("experiment", self.experiment))
        return all(not value or line.get(name) == value for name, value in wanted)


@dataclass(frozen=True)
class Claim:
    """What one call, or one measurement, may use at most. None: as much as there is; what is not named: nothing.

    `about` goes into its record: stage, experiment, agent, session_id, and whatever else tells one call from another.
    `tells_earlier`: whether its agent will tell, with its own, what cut off calls of its conversation have cost.
    """

    about: Mapping[str, object]
    wanted: Mapping[str, float | None]
    tells_earlier: bool = True

    @classmethod
    def of_call(cls, limits: Limits, about: Mapping[str, object], *, tells_earlier: bool = True) -> Claim:
        """What an agent call claims."""
        wanted = {"usd": limits.cost_usd, "tokens": limits.tokens, "agent_calls": 1, "wall_h": limits.wall_s / 3600}
        return cls(about, wanted, tells_earlier)


@dataclass(frozen=True)
class Patience:
    """How a claim waits for calls under way that may use up what it needs."""

    say: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Reservation:
    """What was granted. It ends with the line of its call, or, where there was no call, without one.

    Where the line could not be written, as on a full disk, the record of the call stays, and counts in its place.
    """

    log: Path
    flight: inflight.Flight
    granted: Mapping[str, float | None]
    is_owed: bool = False

    def held_to(self, limits: Limits) -> Limits:
        """The limits of the call, none above what was granted."""
        hours, counted = self.granted.get("wall_h"), self.granted.get("tokens")
        wall_s = limits.wall_s if hours is None else min(limits.wall_s, max(hours * 3600, 1.0))
        return replace(
            limits,
            wall_s=wall_s,
            silence_s=min(limits.silence_s, wall_s),
            cost_usd=self.granted.get("usd"),
            tokens=None if counted is None else int(counted),
        )

    def append(self, line: dict[str, object]) -> None:
        """Writes the line of the call; from here on what it really used counts, in the same moment."""
        self.is_owed = True
        with sole_use(self.log):
            allowed = self.flight.facts.get("allowed")
            Ledger(self.log).append({"call": self.flight.number, "allowed": allowed, **line})
            self.is_owed = False
            land(self.flight)


@contextmanager
def reserved(
    log: Path, purses: Sequence[Purse], claim: Claim, patience: Patience | None = None
) -> Iterator[Reservation]:
    """Counts a claim towards every purse until its line is written; WorkFailed where a budget is used up.

    What calls under way may still use counts as used. Where only they stand in the way, it waits for them.
    """
    patience = patience or Patience()
    was_told = False
    while True:
        with sole_use(log):
            bury_killed(log)
            balance = Balance.of(log, claim)
            granted = balance.grant(purses, claim)
            if granted is not None:
                allowed = {name: granted.get(name) for name in NAMES if granted.get(name) is not None}
                flight = inflight.take_off(log, {**claim.about, "allowed": allowed})
                break
        if not was_told:
            patience.say(balance.waiting_words(purses))
            was_told = True
        patience.sleep(LOOK_EVERY_S)
    reservation = Reservation(log, flight, granted)
    try:
        yield reservation
    finally:
        if not reservation.is_owed:
            land(flight)


def refuse_if_spent(log: Path, purses: Sequence[Purse], claim: Claim) -> None:
    """Raises where a claim could not start at all, before anything is prepared for it."""
    Balance.of(log, claim).grant(purses, claim)


@dataclass(frozen=True)
class Balance:
    """What was used, and what calls under way may still use."""

    lines: Sequence[Line]
    flying: Sequence[Line]
    later: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Path, claim: Claim | None = None) -> Balance:
        """The balance as a claim finds it: the open calls of its own conversation become part of it."""
        lines = lines_of(log)
        told = {**settled(lines), **({} if claim is None else taken_over(lines, claim))}
        landed = {line.get("call") for line in lines}
        flying = [flight.facts for flight in inflight.flights(log) if flight.number not in landed]
        return cls(lines, flying, told)

    def spent(self, purse: Purse, name: str) -> float:
        """What has been used of one thing. A call of unknown use counts as all it was allowed."""
        return sum(use_of(line, name, self.later) for line in self.lines if purse.holds(line))

    def flying_use(self, purse: Purse, name: str) -> float:
        return sum(allowed_of(line, name) or 0.0 for line in self.flying if purse.holds(line))

    def unknown(self, purse: Purse, name: str) -> int:
        """How many calls count as all they were allowed, because nobody knows."""
        mine = (line for line in self.lines if purse.holds(line) and is_call(line) and id(line) not in self.later)
        return sum(known_use(line, name) is None for line in mine)

    def grant(self, purses: Sequence[Purse], claim: Claim) -> dict[str, float | None] | None:
        """What the claim gets; None where it has to wait; WorkFailed where a budget is used up."""
        granted = dict(claim.wanted)
        has_to_wait = False
        for purse in purses:
            for name in (name for name in purse.limits if name in claim.wanted):
                left = purse.limits[name] - self.spent(purse, name)
                if left <= TINY:
                    raise self.used_up(purse, name)
                wanted = granted[name]
                granted[name] = min(inf if wanted is None else wanted, left)
                has_to_wait |= granted[name] > left - self.flying_use(purse, name) + TINY  # type: ignore[operator]
        return None if has_to_wait else granted

    def used_up(self, purse: Purse, name: str) -> WorkFailed:
        words = f"{name} {self.spent(purse, name):g} of {purse.limits[name]:g}"
        unknown = self.unknown(purse, name)
        if unknown:
            words += f"; {unknown} of the calls did not say, and count as all they were allowed"
        return WorkFailed(
            f"the budget of {purse.whose} is used up: {words}",
            hint="raise `budget` in run.yaml, then run it again; flagstone cost shows every call",
        )

    def waiting_words(self, purses: Sequence[Purse]) -> str:
        who = sorted({describe(line) for line in self.flying if any(purse.holds(line) for purse in purses)})
        return f"waiting: what is left of the budget may be needed by a call under way ({', '.join(who)})"


def describe(line: Line) -> str:
    found = [f"{name} {line[name]}" for name in ("stage", "experiment") if line.get(name)]
    return " ".join(found) or "another"


def taken_over(lines: Iterable[Line], claim: Claim) -> dict[int, float]:
    """The calls of unknown cost that a claim takes upon itself, because its agent will tell them with its own."""
    agent, session = claim.about.get("agent"), claim.about.get("session_id")
    if agent not in TELLS_LATER or not claim.about.get("resumed") or not claim.tells_earlier:
        return {}
    own = (line for line in lines if (line.get("agent"), line.get("session_id")) == (agent, session))
    return {id(line): 0.0 for line in own if paid(line.get("cost_usd")) is None}


def use_of(line: Line, name: str, later: Mapping[int, float]) -> float:
    known = known_use(line, name)
    if known is not None:
        return known
    if name == "usd" and id(line) in later:
        return later[id(line)]
    is_told = name == "tokens" and is_counted_later(line, later)
    return 0.0 if is_told else allowed_of(line, name) or 0.0


def known_use(line: Line, name: str) -> float | None:
    """What a line says was used of a thing; None where it does not know."""
    if name == "gpu_h":
        return (paid(line.get("gpu_s")) or 0.0) / 3600
    if not is_call(line):
        return 0.0
    match name:
        case "usd":
            return paid(line.get("cost_usd"))
        case "tokens":
            return tokens_of(line)
        case "wall_h":
            seconds = paid(line.get("wall_s"))
            return None if seconds is None else seconds / 3600
    return 1.0


def tokens_of(line: Line) -> float | None:
    """All tokens of a call, cached ones included; None where it did not count those in and out."""
    usage = line.get("usage")
    counts = [whole(usage.get(name)) if isinstance(usage, Mapping) else None for name in COUNTED]
    return None if None in counts[:2] else float(sum(count or 0 for count in counts))


def allowed_of(line: Line, name: str) -> float | None:
    allowed = line.get("allowed")
    return paid(allowed.get(name)) if isinstance(allowed, Mapping) else None


def bury_killed(log: Path) -> None:
    """Writes the lines of calls whose makers were killed, and takes them off the record. The log is locked."""
    landed = {line.get("call") for line in Ledger(log).entries()}
    now_s = time.time()
    for flight in inflight.flights(log):
        if flight.number in landed:
            land(flight)
        elif flight.is_over(now_s):
            Ledger(log).append({"call": flight.number, **flight.last_words(now_s)})
            land(flight)


def land(flight: inflight.Flight) -> None:
    try:
        flight.place.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(flight.place, error) from error
