"""A call is counted before it starts, whoever else is calling, and however it ends."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flagstone.agents.accounts.budget import Balance, Budget, Claim
from flagstone.agents.accounts.calls import append_call, append_use, lines_of, spending_of, sum_of
from flagstone.agents.accounts.inflight import open_records
from flagstone.agents.accounts.reservation import Patience, reserve
from flagstone.agents.protocol import Limits
from flagstone.errors import WorkFailed
from flagstone.records import Ledger

USAGE = {"input_tokens": 60, "output_tokens": 40, "cache_read_tokens": None, "cache_write_tokens": None}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "agents.jsonl"


def budget(**limits: float) -> list[Budget]:
    return [Budget.of("run attn", limits)]


def claim(
    stage: str = "03", *, experiment: str = "", about: Mapping[str, object] | None = None, **wanted: object
) -> Claim:
    usual = {"agent": "claude", "stage": stage, "experiment": experiment, "session_id": "s", "resumed": False}
    named = {"usd": 1.0, "tokens": None, "agent_calls": 1, "wall_h": 1.0, **wanted}
    return Claim({**usual, **(about or {})}, named)  # type: ignore[arg-type]


def line(stage: str = "03", cost: float | None = 0.25, **more: object) -> dict[str, object]:
    return {
        "agent": "claude",
        "stage": stage,
        "session_id": "s",
        "cost_usd": cost,
        "usage": USAGE,
        "wall_s": 36.0,
        **more,
    }


@dataclass
class Impatient:
    """Somebody who does not wait: the first time it would have to is an error."""

    said: list[str] = field(default_factory=list)

    def sleep(self, _: float) -> None:
        raise TimeoutError

    @property
    def patience(self) -> Patience:
        return Patience(self.said.append, self.sleep)


def test_a_call_is_on_disk_before_it_starts_and_gone_with_its_line(log: Path) -> None:
    with reserve(log, budget(usd=10), claim()) as reservation:
        [record] = open_records(log)
        assert (record.facts["stage"], record.facts["pid"]) == ("03", os.getpid())
        reservation.append(line())
        assert open_records(log) == []
    [written] = Ledger(log).entries()
    assert written["allowed"] == {"usd": 1.0, "agent_calls": 1, "wall_h": 1.0}
    assert Ledger(log).problems() == []


def test_a_call_that_was_never_made_leaves_nothing(log: Path) -> None:
    with pytest.raises(LookupError), reserve(log, budget(usd=10), claim()):
        raise LookupError
    assert (open_records(log), lines_of(log)) == ([], [])


@pytest.mark.parametrize("name", ["usd", "tokens", "agent_calls", "wall_h"])
def test_what_is_used_up_starts_nothing(log: Path, name: str) -> None:
    append_call(log, line())
    used = {"usd": 0.25, "tokens": 100, "agent_calls": 1, "wall_h": 0.01}[name]
    words = f"budget of run attn is used up: {name} {used:g} of {used:g}"
    with pytest.raises(WorkFailed, match=words), reserve(log, budget(**{name: used}), claim(usd=0.1)):
        pytest.fail("a call started")


def test_a_call_without_a_limit_gets_what_is_left(log: Path) -> None:
    append_call(log, line(cost=4.0))
    with reserve(log, budget(usd=10, tokens=1000), claim(usd=None)) as reservation:
        limits = reservation.limits_for(Limits(60, 30, 9, None))
        assert (limits.cost_usd, limits.tokens, limits.turns) == (6.0, 900, 9)


def test_without_a_budget_a_call_keeps_its_own_limits(log: Path) -> None:
    with reserve(log, budget(), claim(usd=None)) as reservation:
        assert reservation.limits_for(Limits(60, 30, 9, None)) == Limits(60, 30, 9, None)


def test_calls_under_way_count_as_all_they_may_use(log: Path) -> None:
    waiting = Impatient()
    with (
        reserve(log, budget(usd=2.5), claim("04")),
        reserve(log, budget(usd=2.5), claim("05")),
        pytest.raises(TimeoutError),
        reserve(log, budget(usd=2.5), claim("06"), waiting.patience),
    ):
        pytest.fail("a third call started")
    assert waiting.said == ["waiting: a running call may need what is left of the budget (stage 04, stage 05)"]


def test_who_waits_goes_on_with_what_the_other_left(log: Path) -> None:
    started = threading.Event()
    granted: list[object] = []

    def second() -> None:
        with reserve(log, budget(usd=1.5), claim("05"), Patience(lambda _: started.set(), lambda _: None)) as mine:
            granted.append(mine.granted["usd"])

    with reserve(log, budget(usd=1.5), claim("04")) as first:
        thread = threading.Thread(target=second)
        thread.start()
        assert started.wait(20)
        assert granted == []
        first.append(line("04", 0.75))
    thread.join(20)
    assert granted == [0.75]


def test_of_many_calls_at_once_no_two_are_granted_the_same_money(log: Path) -> None:
    most: list[float] = []
    lock = threading.Lock()
    under_way = [0.0]

    def one(number: int) -> None:
        try:
            with reserve(log, budget(usd=3.0), claim(usd=0.7), Patience(sleep=lambda _: None)) as mine:
                with lock:
                    under_way[0] += mine.granted["usd"] or 0
                    most.append(under_way[0] + spending_of(log).known_usd)
                mine.append(line(cost=mine.granted["usd"]))
                with lock:
                    under_way[0] -= mine.granted["usd"] or 0
        except WorkFailed:
            return

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert spending_of(log).known_usd == pytest.approx(3.0)
    assert spending_of(log).calls == 5  # four of 0.7, and one of the rest
    assert Ledger(log).problems() == []


def test_a_stage_and_an_experiment_have_purses_of_their_own(log: Path) -> None:
    append_call(log, line("04", 2.0))
    append_call(log, line("05", 1.0, experiment="lr"))
    own = Budget.of("stage 05", {"usd": 3.0}, stage="05")
    lr = Budget.of("experiment lr", {"usd": 1.0}, experiment="lr")
    with reserve(log, [own], claim("05", usd=None)) as reservation:
        assert reservation.granted["usd"] == 2.0
    with pytest.raises(WorkFailed, match="budget of experiment lr"), reserve(log, [own, lr], claim("05")):
        pytest.fail("a call started")


def test_gpu_hours_are_counted_and_end_an_experiment(log: Path) -> None:
    append_use(log, stage="05", experiment="lr", gpu_s=3600, wall_s=1800)
    training = Claim({"stage": "05", "experiment": "lr"}, {"gpu_h": 0.5})
    lr = Budget.of("experiment lr", {"gpu_h": 1.5}, experiment="lr")
    with reserve(log, [lr], training) as reservation:
        assert reservation.granted == {"gpu_h": 0.5}
        waiting = Impatient()
        with pytest.raises(TimeoutError), reserve(log, [lr], training, waiting.patience):
            pytest.fail("a second training started")
        reservation.append({"kind": "use", "stage": "05", "experiment": "lr", "gpu_s": 1800})
    with pytest.raises(WorkFailed, match=r"gpu_h 1.5 of 1.5"), reserve(log, [lr], training):
        pytest.fail("a training started")
    assert spending_of(log).calls == 0
    assert sum_of(lines_of(log), experiment="lr").gpu_s == 5400


def test_a_call_of_unknown_cost_counts_as_all_it_was_allowed_and_that_is_said(log: Path) -> None:
    with reserve(log, budget(usd=3), claim(usd=None)) as reservation:
        reservation.append(line(cost=None, outcome="interrupted"))
    with pytest.raises(WorkFailed) as refused, reserve(log, budget(usd=3), claim("04", about={"session_id": "t"})):
        pytest.fail("a call started")
    assert "usd 3 of 3; 1 call without a report counted at the limit" in refused.value.problem


def test_what_a_killed_call_has_cost_stays_unknown_when_its_conversation_goes_on(log: Path) -> None:
    """Seen: $0.90 of a budget of $0.20, because the next call was believed to tell all that earlier ones had cost."""
    with reserve(log, budget(usd=3), claim(usd=1.0)) as reservation:
        reservation.append(line(cost=None, usage={}))
    on = claim(usd=None, about={"resumed": True})
    with reserve(log, budget(usd=3), on) as reservation:
        assert reservation.granted["usd"] == 2.0
        reservation.append(line(cost=0.5))
    assert Balance.of(log).use(budget(usd=3)[0], "usd") == 1.5
    assert (spending_of(log).cost_usd, spending_of(log).known_usd, spending_of(log).unknown_calls) == (None, 0.5, 1)


def killed_in_flight(log: Path, **limits: float) -> None:
    """Another process reserves, and is killed before it can write anything."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with reserve(log, budget(**limits), claim()):
            os.write(writer, b"!")
            signal.pause()
    os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_killed_holder_blocks_nobody_and_its_call_leaves_a_line(log: Path) -> None:
    killed_in_flight(log, usd=5)
    assert spending_of(log).cost_usd is None  # seen by whoever only looks, too
    with reserve(log, budget(usd=5), claim(usd=None)) as reservation:
        assert reservation.granted["usd"] == 4.0
        assert len(open_records(log)) == 1
    [buried] = Ledger(log).entries()
    assert (buried["outcome"], buried["cost_usd"], buried["stage"]) == ("crashed", None, "03")


def test_a_line_that_was_written_before_the_kill_is_counted_once(log: Path) -> None:
    with reserve(log, budget(usd=5), claim()) as reservation:
        record = reservation.record.path.read_text()
        reservation.append(line(cost=0.5))
    reservation.record.path.write_text(record.replace(str(os.getpid()), "999999999"))
    with reserve(log, budget(usd=5), claim(usd=None)) as again:
        assert again.granted["usd"] == 4.5
    assert len(Ledger(log).entries()) == 1


def test_a_record_of_another_machine_counts_until_its_call_must_be_over(log: Path) -> None:
    with reserve(log, budget(usd=5), claim()) as reservation:
        facts = dict(reservation.record.facts)
    elsewhere = log.parent / "inflight" / "e.json"
    elsewhere.write_text(json.dumps({**facts, "host": "elsewhere"}))
    with pytest.raises(TimeoutError), reserve(log, budget(usd=1.5), claim(), Impatient().patience):
        pytest.fail("a call started")
    elsewhere.write_text(json.dumps({**facts, "host": "elsewhere", "at": "2020-01-01T00:00:00.000Z"}))
    with reserve(log, budget(usd=1.5), claim(usd=None)) as reservation:
        assert reservation.granted["usd"] == 0.5


def test_cached_tokens_count_as_well(log: Path) -> None:
    append_call(log, line(usage={**USAGE, "cache_read_tokens": 1000, "cache_write_tokens": 500}))
    assert Balance.of(log).use(budget()[0], "tokens") == 1600


@pytest.mark.parametrize("forged", [{"cost": -50.0}, {"gpu_s": -1e9, "kind": "use"}, {"wall_s": -1e9}])
def test_nothing_has_cost_less_than_nothing(log: Path, forged: dict[str, Any]) -> None:
    append_call(log, line(cost=1.0, gpu_s=3600))
    append_call(log, line(allowed={"usd": 1.0}, **forged))
    balance = Balance.of(log)
    assert balance.use(budget()[0], "usd") >= 1.0
    assert balance.use(budget()[0], "gpu_h") >= 1.0
    assert balance.use(budget()[0], "wall_h") >= 0.01
    assert spending_of(log).known_usd >= 1.0 and spending_of(log).gpu_s >= 3600


def test_a_call_whose_line_could_not_be_written_still_counts(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Ledger, __: object) -> None:
        raise WorkFailed("no space is left", hint="free some")

    with pytest.raises(WorkFailed, match="no space"), reserve(log, budget(usd=5), claim(usd=2.0)) as reservation:
        monkeypatch.setattr(Ledger, "append", full)
        reservation.append(line(cost=1.5))
    monkeypatch.undo()
    [record] = open_records(log)
    record.path.write_text(json.dumps({**record.facts, "pid": 999999999}))  # that process has ended since
    assert spending_of(log).cost_usd is None
    with reserve(log, budget(usd=5), claim(usd=None)) as again:
        assert again.granted["usd"] == 3.0


def test_a_forged_record_of_a_call_brings_nothing_into_the_log(log: Path) -> None:
    killed_in_flight(log, usd=5)
    [record] = open_records(log)
    forged = {"kind": "use", "gpu_s": -1e9, "cost_usd": 0.0, "allowed": {"usd": -7.0}}
    record.path.write_text(json.dumps({**record.facts, **forged}))
    [told] = lines_of(log)
    assert (told.is_call, told.gpu_s, told.cost) == (True, None, None)
    with reserve(log, budget(usd=5), claim(usd=None)) as reservation:
        assert reservation.granted["usd"] == 5.0


@pytest.mark.parametrize("odd", [{"usage": "many"}, {"attempt": {}}, {"started_at": 5}, {"stage": None}])
def test_a_line_with_an_odd_field_still_counts_with_all_the_others(log: Path, odd: dict[str, object]) -> None:
    append_call(log, {**line(cost=1.0), **odd})
    [read] = lines_of(log)
    assert read.agent == "claude" and spending_of(log).known_usd == 1.0
