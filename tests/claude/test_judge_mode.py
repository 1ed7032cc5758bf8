"""JUDGE: no tools, and an answer in the form that was asked for."""

from __future__ import annotations

from desk import Desk
from messages_api import MessagesApi, Says, use

from flagstone.agents.protocol import CallOutcome


def test_the_answer_has_the_form_that_was_asked_for(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("StructuredOutput", choice="keep"))
    result = desk.judge()
    assert (result.outcome, result.structured) == (CallOutcome.OK, {"choice": "keep"})


def test_a_wrong_form_may_be_put_right(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("StructuredOutput", verdict="keep"), use("StructuredOutput", choice="keep"))
    result = desk.judge()
    assert (result.outcome, result.structured) == (CallOutcome.OK, {"choice": "keep"})


def test_a_form_that_is_wrong_again_and_again_is_no_answer(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("StructuredOutput", verdict="keep"))
    result = desk.judge()
    assert (result.outcome, result.structured) == (CallOutcome.SCHEMA, None)


def test_a_model_that_only_talks_has_not_answered(desk: Desk, api: MessagesApi) -> None:
    api.plays(Says("I would keep it."))
    result = desk.judge()
    assert (result.outcome, result.exit_code, result.text) == (CallOutcome.SCHEMA, 0, "I would keep it.")


def test_a_judge_has_no_tools_and_can_change_nothing(desk: Desk, api: MessagesApi) -> None:
    target = desk.root / "mine"
    tries = (use("Write", file_path=str(target), content="x"), use("Bash", command=f"touch {target}"))
    api.plays(*tries, use("StructuredOutput", choice="keep"))
    assert desk.judge().outcome is CallOutcome.OK
    assert not target.exists()
    assert not {"Read", "Edit", "Write", "Bash", "Glob", "Grep", "Task"} & set(api.asked[0].tools)


def test_nothing_of_what_was_judged_is_kept_by_the_cli(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("StructuredOutput", choice="keep"))
    desk.judge(prompt="the word is heliotrope")
    kept = [path for path in desk.session_folder.rglob("*") if path.is_file() and b"heliotrope" in path.read_bytes()]
    assert kept == []
