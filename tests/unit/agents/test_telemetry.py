"""Every call leaves a line, and what is unknown is never counted as nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

import pytest

from flagstone.agents.accounts.calls import append_call, lines_of, spending_of, sum_of
from flagstone.agents.frame import CallFrame
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Task, Usage
from flagstone.errors import Interrupted
from flagstone.processes import SandboxError
from flagstone.records import Ledger

Asked = Callable[..., AgentCall]


@dataclass
class Paid:
    """An agent that says what it costs, or is interrupted."""

    cost_usd: float | None = None
    tokens: int | None = None
    error: BaseException | None = None
    name: str = "paid"

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        if self.error:
            raise self.error
        usage = Usage(self.tokens, self.tokens, None, None)
        return AgentResult(CallOutcome.OK, "done", "private text", "s", cost_usd=self.cost_usd, usage=usage)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "agents.jsonl"


def test_a_call_leaves_one_line_without_its_texts(asked: Asked, log: Path) -> None:
    CallFrame(Paid(0.5, 7), log).carry_out(asked())
    [line] = Ledger(log).entries()
    expected = {"agent": "paid", "stage": "03", "attempt": 1, "mode": "work", "outcome": "ok", "cost_usd": 0.5}
    assert expected.items() <= line.items()
    assert "private text" not in log.read_text()


def test_a_call_whose_sandbox_failed_cost_nothing(asked: Asked, log: Path) -> None:
    with pytest.raises(SandboxError):
        CallFrame(Paid(error=SandboxError("the sandbox could not be set up", hint="")), log).carry_out(asked())
    assert spending_of(log).cost_usd == 0


def test_an_interrupted_call_leaves_a_line_of_unknown_cost(asked: Asked, log: Path) -> None:
    for error, outcome in ((Interrupted("stopped", hint=""), "interrupted"), (LookupError(), "crashed")):
        with pytest.raises(type(error)):
            CallFrame(Paid(error=error), log).carry_out(asked())
        assert Ledger(log).entries()[-1]["outcome"] == outcome
    assert spending_of(log).cost_usd is None


def test_the_cost_of_a_stage_and_of_the_run_are_sums(asked: Asked, log: Path) -> None:
    other = replace(asked(), task=Task("04", "Implementation", 1, log.parent, log))
    for call, cost in ((asked(), 0.5), (asked(), 0.25), (other, 1.0)):
        CallFrame(Paid(cost, 10), log).carry_out(call)
    of_stage = sum_of(lines_of(log), "03")
    assert (of_stage.cost_usd, of_stage.input_tokens) == (0.75, 20)
    assert (spending_of(log).cost_usd, spending_of(log).calls) == (1.75, 3)


def test_a_sum_with_an_unknown_part_is_unknown_and_the_known_part_is_told(asked: Asked, log: Path) -> None:
    for cost in (0.5, None):
        CallFrame(Paid(cost), log).carry_out(asked())
    spent = spending_of(log)
    assert (spent.cost_usd, spent.known_usd, spent.unknown_calls, spent.output_tokens) == (None, 0.5, 1, None)


def test_no_calls_have_cost_nothing(log: Path) -> None:
    assert (spending_of(log).cost_usd, spending_of(log).calls) == (0.0, 0)


def test_calls_that_end_at_once_do_not_lose_each_others_lines(log: Path) -> None:
    threads = [Thread(target=append_call, args=(log, {"number": number})) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["number"] for line in Ledger(log).entries()) == list(range(20))
    assert Ledger(log).problems() == []
