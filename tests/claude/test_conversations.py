"""A conversation goes on where it stopped, belongs to one caller at a time, and is paid for once."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace

import pytest
from desk import Desk, then
from messages_api import Fails, MessagesApi, Says

from flagstone.agents.protocol import AgentResult, CallOutcome, Conversation


def test_a_resumed_conversation_knows_what_was_said(desk: Desk, api: MessagesApi) -> None:
    api.plays(Says("I remember"))
    first, second = desk.ask(prompt="the word is heliotrope"), desk.ask(prompt="which word?")
    assert (first.session_id, second.session_id) == (desk.session_id, desk.session_id)
    assert second.outcome is CallOutcome.OK
    assert "heliotrope" in "".join(api.asked[-1].heard)
    assert "which word?" in api.asked[-1].heard[-1]


def test_the_cost_of_a_resumed_conversation_is_counted_once(desk: Desk) -> None:
    costs = [desk.ask().cost_usd for _ in range(3)]
    assert costs[0]
    assert costs == [pytest.approx(costs[0])] * 3


def test_a_call_that_failed_leaves_the_conversation_as_it_was(desk: Desk, api: MessagesApi) -> None:
    desk.ask(prompt="the word is heliotrope")
    api.plays(Fails(500))
    assert desk.ask().outcome is CallOutcome.RETRYABLE
    api.plays(Says("here again"))
    assert desk.ask().outcome is CallOutcome.OK
    assert "heliotrope" in "".join(api.asked[-1].heard)


def test_an_unknown_conversation_is_lost(desk: Desk, api: MessagesApi) -> None:
    result = desk.ask(conversation=Conversation(str(uuid.uuid4()), resume=True))
    assert (result.outcome, api.asked) == (CallOutcome.SESSION_LOST, [])


def test_a_conversation_whose_record_was_deleted_is_lost(desk: Desk, api: MessagesApi) -> None:
    desk.ask()
    (record,) = desk.session_folder.rglob(f"{desk.session_id}.jsonl")
    record.unlink()
    api.plays(Says("who are you?"))
    assert desk.ask().outcome is CallOutcome.SESSION_LOST
    assert not api.asked


def test_a_conversation_cut_off_in_the_middle_of_a_line_goes_on(desk: Desk) -> None:
    desk.ask()
    (record,) = desk.session_folder.rglob(f"{desk.session_id}.jsonl")
    os.truncate(record, record.stat().st_size - 20)
    assert desk.ask().outcome is CallOutcome.OK


def test_a_conversation_is_not_begun_twice(desk: Desk) -> None:
    desk.ask()
    again = desk.ask(conversation=Conversation(desk.session_id, resume=False))
    assert again.outcome is CallOutcome.SESSION_BUSY


def test_of_two_callers_at_once_the_second_is_told_to_wait(desk: Desk, api: MessagesApi) -> None:
    meanwhile: list[AgentResult] = []
    other = replace(desk.call(), conversation=Conversation(desk.session_id, resume=True))
    api.plays(then(lambda: meanwhile.append(desk.carry_out(other)), Says("mine")))
    assert desk.ask(conversation=Conversation(desk.session_id, resume=False)).outcome is CallOutcome.OK
    assert [result.outcome for result in meanwhile] == [CallOutcome.SESSION_BUSY]
    assert len(api.asked) == 1


def test_two_conversations_of_a_stage_do_not_know_each_other(desk: Desk, api: MessagesApi) -> None:
    desk.ask(prompt="the word is heliotrope")
    desk.session_id = str(uuid.uuid4())
    assert desk.ask(conversation=Conversation(desk.session_id, resume=False)).outcome is CallOutcome.OK
    assert "heliotrope" not in "".join(api.asked[-1].heard)
    assert len(list(desk.session_folder.parent.glob("conversation-*"))) == 2
