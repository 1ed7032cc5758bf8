"""An agent proposes edits: what it is asked, what it may write, and what is made of how it ended."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from actor import Act, Actor, ended, nothing, writes
from entries import entry_of, made_up
from views import ROOT, draft_of, view_of

from flagstone.agents import changes
from flagstone.agents.accounts.budget import Budget
from flagstone.agents.protocol import AgentResult, CallOutcome, Mode
from flagstone.agents.sandbox import Strength
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.proposers.agent import PATIENCE_S, AgentProposer
from flagstone.experiments.proposers.calls import neighbourhood
from flagstone.experiments.proposers.protocol import AgentSetup, Proposed, View
from flagstone.experiments.proposers.registry import proposer_for

NOTED = 'RUN_NOTE = "twice the rate"\nX = 2.0\n'


def ask(
    tmp_path: Path, *plays: tuple[Act, AgentResult], view: View | None = None, setup: AgentSetup | None = None
) -> tuple[Proposed, Actor, list[float]]:
    """What one proposal comes to, the agent that was asked, and how long was waited."""
    actor, waited = Actor(list(plays)), list[float]()
    draft = tmp_path / "draft" if (tmp_path / "draft").exists() else draft_of(tmp_path)
    proposer = AgentProposer(actor, ROOT / "prompts", setup or AgentSetup(), sleep=waited.append)
    said = proposer.propose(view or view_of(tmp_path, made_up(3)), draft, tmp_path / "agent")
    return said, actor, waited


def test_an_edit_is_proposed_with_its_note_its_change_and_what_it_cost(tmp_path: Path) -> None:
    said, _, _ = ask(tmp_path, (writes(NOTED), ended(text="# Done\n\nI doubled it.")))
    assert (said.note, said.failure) == ("twice the rate", "")
    facts = dict(said.facts)
    assert facts.pop("wall_s") >= 0
    assert facts == {
        "cost_usd": 0.25,
        "tokens": 115,
        "outcome": "ok",
        "reason": "because",
        "session_id": "s",
        "calls": 1,
        "model": None,
        "change": "train.py: X = 1.0 → X = 2.0",
        "note_full": "twice the rate",
        "parameters": {"X": 2.0},
    }


def test_an_unknown_cost_stays_unknown(tmp_path: Path) -> None:
    said, _, _ = ask(tmp_path, (writes(NOTED), ended(cost_usd=None)))
    assert said.facts["cost_usd"] is None


def test_a_note_is_one_line_and_is_kept_whole_beside_it(tmp_path: Path) -> None:
    source = 'RUN_NOTE = "tab\\there,\\nnew line 🎉 ' + "x" * 300 + '"\n'
    said, _, _ = ask(tmp_path, (writes(source), ended()))
    assert said.note.startswith("tab here, new line 🎉 xxx")
    assert len(said.note) == 200
    assert said.facts["note_full"].startswith("tab\there,\nnew line 🎉 ")


def test_a_note_that_was_there_before_is_not_the_note_of_this_edit(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, NOTED)
    (draft / "train.py").write_text(NOTED)
    text = "## Summary\n\n```python\nX = 3\n```\n- I made **X** larger, since 2 helped.\nMore."
    said, _, _ = ask(tmp_path, (writes(NOTED.replace("2.0", "3.0")), ended(text=text)))
    assert said.note == "I made **X** larger, since 2 helped."


def test_the_agent_works_in_the_draft_and_may_write_the_mutable_files_only(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    (draft / "conf").mkdir()
    (draft / "conf/a.yaml").write_text("a: 1\n")
    subject = {"mutable": ["train.py", "prepare.py", "conf/**/*.yaml", "data/**"]}
    view = view_of(tmp_path, made_up(3), subject=subject, agent={"wall_s": 9, "turns": 7, "cost_usd": 0.5})
    _, actor, _ = ask(tmp_path, (writes(NOTED), ended()), view=view, setup=AgentSetup({"a": 1}, "m"))
    call = actor.calls[0]
    assert call.task.run_root == draft
    assert set(call.writable) == {draft / "train.py", draft / "conf"}  # the others are links out of the draft
    assert (call.mode, call.model, call.sandbox) == (Mode.EDIT, "m", "auto")
    assert (call.limits.wall_s, call.limits.silence_s, call.limits.turns, call.limits.cost_usd) == (9, 9, 7, 0.5)
    assert call.options == {"a": 1}
    assert not call.conversation.resume


def test_each_proposal_is_a_new_conversation(tmp_path: Path) -> None:
    one = ask(tmp_path, (writes(NOTED), ended()))[1].calls[0]
    two = ask(tmp_path, (writes(NOTED), ended()))[1].calls[0]
    assert one.conversation.session_id != two.conversation.session_id


def test_a_call_leaves_its_prompt_its_events_its_result_and_a_line_in_the_log(tmp_path: Path) -> None:
    view = view_of(tmp_path, made_up(3))
    _, actor, _ = ask(tmp_path, (writes(NOTED), ended(text="did it")), view=view)
    assert (tmp_path / "agent/prompt.md").read_text() == actor.calls[0].prompt
    assert "did it" in (tmp_path / "agent/events.log").read_text()
    assert json.loads((tmp_path / "agent/result.json").read_text())["outcome"] == "ok"
    line = json.loads(view.home.log.read_text())
    assert (line["experiment"], line["attempt"], line["cost_usd"]) == ("made-up", 4, 0.25)


def test_a_call_that_may_not_write_beside_the_files_says_so(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/stderr.txt").write_text("sed: couldn't open temporary file ./sedX: Permission denied\n")
    said, _, _ = ask(tmp_path, (nothing, ended(text="I set X.")))
    assert said.failure.startswith("nothing was changed (sed: couldn't open temporary file ./sedX: Permission denied: ")
    assert "in place" in said.failure


def test_a_call_without_a_change_is_no_proposal(tmp_path: Path) -> None:
    said, _, _ = ask(tmp_path, (nothing, ended(text="Nothing is left to gain.")))
    assert said.failure == "nothing was changed (Nothing is left to gain.)"
    assert not said.is_fatal
    assert said.facts["cost_usd"] == 0.25


@pytest.mark.parametrize(
    "outcome",
    [
        CallOutcome.CRASHED,
        CallOutcome.TIMEOUT,
        CallOutcome.SILENT,
        CallOutcome.TURNS,
        CallOutcome.MALFORMED,
        CallOutcome.CONTEXT,
    ],
)
def test_an_edit_counts_however_the_call_ended(tmp_path: Path, outcome: CallOutcome) -> None:
    said, _, _ = ask(tmp_path, (writes(NOTED), ended(outcome)))
    assert (said.note, said.failure) == ("twice the rate", "")
    assert said.facts["used_although"] == f"{outcome.value}: because"
    said, _, _ = ask(tmp_path, (nothing, ended(outcome)))
    assert said.failure == f"{outcome.value}: because"
    assert not said.is_fatal


@pytest.mark.parametrize("outcome", [CallOutcome.AUTH, CallOutcome.CONFIG, CallOutcome.BUDGET, CallOutcome.UNCLEAN])
def test_what_only_a_person_can_cure_ends_the_loop(tmp_path: Path, outcome: CallOutcome) -> None:
    said, _, waited = ask(tmp_path, (writes(NOTED), ended(outcome)))
    assert said.is_fatal
    assert said.failure == "the agent cannot continue: because"
    assert waited == []


def test_an_interruption_is_handed_on(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        ask(tmp_path, (nothing, ended(CallOutcome.INTERRUPTED)))


def test_a_passing_error_is_waited_out_longer_each_time_or_as_long_as_asked(tmp_path: Path) -> None:
    busy = ended(CallOutcome.RETRYABLE)
    asked = ended(CallOutcome.RETRYABLE, retry_after_s=42.0)
    said, actor, waited = ask(tmp_path, (nothing, busy), (nothing, busy), (nothing, asked), (writes(NOTED), ended()))
    assert waited == [15, 30, 42]
    assert said.facts["calls"] == 4
    assert said.facts["cost_usd"] == 1.0
    assert len({call.record_dir for call in actor.calls}) == 4


def test_half_an_edit_of_a_failed_try_is_taken_back_before_the_next(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    seen: list[str] = []

    def look(place: Path) -> None:
        seen.append((place / "train.py").read_text())

    ask(tmp_path, (writes("half"), ended(CallOutcome.RETRYABLE)), (look, ended()))
    assert seen == ["X = 1.0\n"]
    assert (draft / "train.py").read_text() == "X = 1.0\n"


def test_a_service_that_asks_for_no_pause_is_not_called_thousands_of_times(tmp_path: Path) -> None:
    _, actor, waited = ask(tmp_path, (nothing, ended(CallOutcome.RETRYABLE, retry_after_s=0.0)))
    assert waited[:4] == [1, 2, 4, 8]
    assert len(actor.calls) < 60


def test_what_the_last_call_was_denied_is_told_not_what_an_earlier_one_was(tmp_path: Path) -> None:
    def denied(folder: Path) -> Act:
        def act(_: Path) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "stderr.txt").write_text(f"cp: cannot create {folder.name}: Permission denied\n")

        return act

    first, last = denied(tmp_path / "agent"), denied(tmp_path / "agent" / "retry-1")
    said, _, _ = ask(tmp_path, (first, ended(CallOutcome.RETRYABLE)), (last, ended()))
    assert "cannot create retry-1" in said.failure


def test_a_service_that_stays_away_for_a_night_stops_the_loop_and_is_not_counted_as_a_proposal(
    tmp_path: Path,
) -> None:
    lines = list[str]()
    view = replace(view_of(tmp_path, made_up(3)), say=lines.append)
    said, actor, waited = ask(tmp_path, (nothing, ended(CallOutcome.RETRYABLE)), view=view)
    assert waited[:8] == [15, 30, 60, 120, 240, 480, 900, 900]
    assert PATIENCE_S <= sum(waited) < PATIENCE_S + 900
    assert len(actor.calls) == len(waited) + 1
    assert said.failure == "the agent's service was away for 8 hours: because"
    assert said.is_fatal
    assert lines[-1] == "r0004 waits 900 s for the agent's service: because"


def test_a_budget_that_is_used_up_stops_the_next_call_before_it_starts(tmp_path: Path) -> None:
    paid = AgentSetup(budgets=(Budget.of("stage 05", {"usd": 0.3}, stage="05"),), stage="05")
    _, actor, _ = ask(tmp_path, (writes(NOTED), ended()), setup=paid)
    assert actor.calls[0].limits.cost_usd == pytest.approx(0.3)
    ask(tmp_path, (writes("X = 5\n"), ended()), setup=paid)
    with pytest.raises(WorkFailed, match="budget of stage 05 is used up"):
        ask(tmp_path, (writes("X = 6\n"), ended()), setup=paid)


def crashed(entries: list[Any], **changes: Any) -> list[Any]:
    """One more run: it crashed."""
    best = next(each for each in reversed(entries) if each.improved)
    known = {"status": "crash", "reason": "exit code 1", "valid": False, "note": "mixed precision"}
    after = {"parent_run": best.run_id, "best_run": best.run_id, "best_value": best.value}
    made = entry_of(entries[-1].number + 1, "revert", None, **{**known, **after, **changes})
    return [*entries, replace(made, verdict="crash")]


def test_a_crash_gets_one_informed_attempt_to_mend_it(tmp_path: Path) -> None:
    entries = crashed(made_up(3))
    best = next(each for each in reversed(entries) if each.improved)
    view = view_of(tmp_path, entries, tail=lambda entry: f"ValueError in {entry.run_id}\n")
    said, actor, _ = ask(tmp_path, (writes(NOTED), ended()), view=view)
    prompt = actor.calls[0].prompt
    assert said.facts["fixes"] == "r0004"
    assert "Run r0004 crashed, and its idea has one more chance" in prompt
    assert f"-{best.tree}\n+{entries[-1].tree}" in prompt
    assert "ValueError in r0004" in prompt
    assert "mixed precision" in prompt


def test_a_second_crash_abandons_the_idea(tmp_path: Path) -> None:
    entries = crashed(crashed(made_up(3)), proposal={"fixes": "r0004"})
    said, actor, _ = ask(tmp_path, (writes(NOTED), ended()), view=view_of(tmp_path, entries))
    prompt = actor.calls[0].prompt
    assert "fixes" not in said.facts
    assert "one more chance" not in prompt
    assert 'r0005 "mixed precision": abandoned, it crashed in r0004 as well' in prompt


def test_the_crash_of_an_earlier_run_is_not_asked_about(tmp_path: Path) -> None:
    entries = crashed(made_up(3))
    entries.append(replace(entries[1], number=5, run_id="r0005"))
    said, _, _ = ask(tmp_path, (writes(NOTED), ended()), view=view_of(tmp_path, entries))
    assert "fixes" not in said.facts


STAND_IN = """import json, os, sys
said = sys.stdin.read()
held = []
for path in ("prepare.py", "data/x.csv", "new.py"):
    try:
        open(path, "w").write("x")
    except OSError:
        held.append(path)
source = open("train.py").read().replace("X = 1.0", "X = 2.0")
open("train.py", "w").write("RUN_NOTE = 'asked %s'\\n" % ("val_loss" in said) + source)
print(json.dumps({"text": "held " + " ".join(held), "usd": 0.125, "in": 7, "out": 3}))
"""


def test_a_real_program_is_asked_held_to_the_mutable_files_and_accounted_for(tmp_path: Path) -> None:
    from flagstone.agents.sandbox import strength

    program = tmp_path / "cli.py"
    program.write_text(STAND_IN)
    where = {"text": "text", "cost_usd": "usd", "input_tokens": "in", "output_tokens": "out"}
    agent = {"driver": "command", "options": {"argv": [sys.executable, str(program)], **where}}
    view = view_of(tmp_path, made_up(3), agent=agent, sandbox="auto" if strength().keeps_files else "off")
    draft = draft_of(tmp_path)
    said = proposer_for(view.spec, ROOT / "prompts").propose(view, draft, tmp_path / "runs/r0004/agent")
    assert (said.note, said.failure) == ("asked True", "")
    assert (draft / "train.py").read_text() == "RUN_NOTE = 'asked True'\nX = 2.0\n"
    assert (said.facts["cost_usd"], said.facts["tokens"]) == (0.125, 10)
    if view.spec.sandbox == "auto":
        told = json.loads((tmp_path / "runs/r0004/agent/result.json").read_text())
        assert told["text"] == "held prepare.py data/x.csv new.py"
        assert (tmp_path / "host/prepare.py").read_text() == "OFFSET = 0.5\n"


def test_an_agent_that_cannot_be_used_is_refused_before_anything_runs(tmp_path: Path) -> None:
    spec = view_of(tmp_path).spec
    with pytest.raises(FlagstoneError, match="unknown agent 'nobody'"):
        proposer_for(spec, ROOT / "prompts", "nobody")
    with pytest.raises(FlagstoneError, match="no program missing-cli"):
        proposer_for(spec, ROOT / "prompts", "command", AgentSetup(options={"argv": ["missing-cli"]}))


@pytest.mark.parametrize("sandbox", ["off", "auto"])
def test_what_changes_around_an_experiment_while_nothing_holds_its_agent_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: str
) -> None:
    view = view_of(tmp_path, made_up(3), sandbox=sandbox)
    monkeypatch.setattr(neighbourhood, "strength", lambda: Strength(7, ""))
    base, project = view.home.base, view.spec.subject.root
    (project / ".git" / "hooks").mkdir(parents=True)
    (project / "protected.txt").write_text("was\n")

    def act(draft: Path) -> None:
        (draft / "train.py").write_text(NOTED)
        (project / "protected.txt").write_text("an agent was here\n")
        (project / ".git" / "hooks" / "post-commit").write_text("#!/bin/sh\n")

    said, _, _ = ask(tmp_path, (act, ended()), view=view)
    told = said.facts.get("violations", [])
    names = [os.path.relpath(project / name, base) for name in (".git/hooks/post-commit", "protected.txt")]
    assert told == ([f"{name} (changed meanwhile)" for name in names] if sandbox == "off" else [])
    assert said.failure == ""


def test_what_is_around_an_agent_is_looked_at_again_only_after_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(tmp_path, made_up(3), sandbox="off")
    protected, looks = view.spec.subject.root / "protected.txt", list[int]()
    protected.write_text("was\n")
    call = ask(tmp_path, (nothing, ended()), view=view)[1].calls[0]
    counted = changes.stats_of

    def stats_of(paths: Iterable[str]) -> dict[str, list[int]]:
        found = counted(paths)
        looks.append(len(found))
        return found

    monkeypatch.setattr(changes, "stats_of", stats_of)
    seen = neighbourhood.Neighbourhood()
    told = []
    for number in range(4):
        end = seen.guard(view.home, view.spec.subject.root)(call)
        if number == 2:
            protected.write_text("an agent was here\n")
        told.append(tuple(end(None)))
    name = os.path.relpath(protected, view.home.base)
    assert told == [(), (), (f"{name} (changed meanwhile)",), ()]
    assert len(looks) == 2


def test_each_of_two_agents_at_once_is_told_what_changed_beside_it(tmp_path: Path) -> None:
    view, seen = view_of(tmp_path, made_up(3), sandbox="off"), neighbourhood.Neighbourhood()
    protected, call = view.spec.subject.root / "protected.txt", ask(tmp_path, (nothing, ended()), view=view)[1].calls[0]
    guard = seen.guard(view.home, view.spec.subject.root)
    first = guard(call)
    protected.write_text("the first was here\n")
    second = guard(call)
    name = os.path.relpath(protected, view.home.base)
    assert (list(second(None)), list(first(None))) == ([], [f"{name} (changed meanwhile)"])
