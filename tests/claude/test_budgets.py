"""What the real CLI costs is known to the end, and kept within what it was allowed."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk, wait_until
from messages_api import Breaks, MessagesApi, Says, Tokens, use

from flagstone.agents.accounts.budget import Budget
from flagstone.agents.accounts.calls import spending
from flagstone.agents.frame import Frame
from flagstone.agents.protocol import AgentResult, Limits, Outcome
from flagstone.errors import Interrupted, WorkFailed

REPLY_USD = 0.003  # 1000 tokens in and 100 out, by the CLI's own price list
WORK = (use("Bash", command="touch workspace/a"), use("Bash", command="touch workspace/b"))


def stop_after(api: MessagesApi, requests: int) -> None:
    def stop() -> None:
        wait_until(lambda: len(api.asked) >= requests, "the request")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()


def limits(usd: float | None, tokens: int | None = None) -> Limits:
    return Limits(60, 30, 20, usd, tokens)


def test_the_cost_of_an_interrupted_call_is_told_by_the_next_one(desk: Desk, api: MessagesApi) -> None:
    api.plays(*WORK, Breaks("stall"))
    stop_after(api, 3)
    with pytest.raises(Interrupted):
        desk.ask(options={})
    api.plays(Says("here again"))
    result = desk.ask()
    assert result.cost_usd == pytest.approx(3 * REPLY_USD)
    assert (result.usage.input_tokens, result.usage.output_tokens) == (3000, 300)


def test_an_interrupted_conversation_goes_on_within_what_is_left_of_its_budget(desk: Desk, api: MessagesApi) -> None:
    api.plays(*WORK, Breaks("stall"))
    stop_after(api, 3)
    with pytest.raises(Interrupted):
        desk.ask(options={}, limits=limits(4 * REPLY_USD))
    api.plays(*WORK, *WORK, *WORK)
    before = len(api.asked)
    result = desk.ask(limits=limits(4 * REPLY_USD))
    assert result.outcome is Outcome.BUDGET
    # two replies were paid before: two are left, and the check comes after each
    assert len(api.asked) - before == 2
    assert result.cost_usd == pytest.approx(4 * REPLY_USD)


def test_nothing_is_asked_of_the_model_once_the_budget_was_spent_by_a_cut_off_call(
    desk: Desk, api: MessagesApi
) -> None:
    api.plays(*WORK, Breaks("stall"))
    stop_after(api, 3)
    with pytest.raises(Interrupted):
        desk.ask(options={}, limits=limits(None))
    before = len(api.asked)
    result = desk.ask(limits=limits(2 * REPLY_USD))
    assert (result.outcome, len(api.asked) - before) == (Outcome.BUDGET, 0)
    assert result.cost_usd == pytest.approx(2 * REPLY_USD)


def test_a_budget_of_tokens_is_exceeded_by_no_more_than_one_reply(desk: Desk, api: MessagesApi) -> None:
    api.plays(*WORK * 10)
    result = desk.ask(limits=limits(None, 2500))
    assert (result.outcome, "tokens" in result.reason) == (Outcome.BUDGET, True)
    assert len(api.asked) <= 4
    assert desk.still_running() == []


def test_several_calls_at_once_keep_a_budget_together(desk: Desk, api: MessagesApi, tmp_path: Path) -> None:
    dear = Says("done", tokens=Tokens(input=100_000, output=0))
    api.plays(*[dear] * 12)
    log = tmp_path / "logs" / "agents.jsonl"
    budget = Budget.of("run", {"usd": 1.0})
    results: list[AgentResult] = []
    lock = threading.Lock()

    def one() -> None:
        with lock:
            own = Desk(tmp_path, desk.program, api)
            own.calls = next(numbers) * 10
            call = own.call(limits=limits(0.31))
        call = replace(call, conversation=replace(call.conversation, resume=False))
        call.record_dir.mkdir(parents=True, exist_ok=True)
        call.task.draft.touch()
        try:
            results.append(Frame(own.agent, log, [budget]).carry_out(call, own.seen.append))
        except WorkFailed:
            return

    numbers = iter(range(1, 10))
    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    cost = spending(log).cost_usd
    assert cost is not None
    assert cost <= 1.0 + 0.3
    assert len(results) == spending(log).calls
