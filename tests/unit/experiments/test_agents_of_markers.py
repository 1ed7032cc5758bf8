"""What an agent is given for one edit: secrets that stay its own, tools for searching, and what a repair may cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from actor import Act, Actor, ended, nothing, writes
from entries import entry_of, made_up
from laboratory import Edits, Laboratory, set_x
from views import ROOT, draft_of, view_of

from flagstone.experiments.proposers.agent import AgentProposer
from flagstone.experiments.proposers.protocol import AgentSetup, Proposed, View

VALUE = "a-value-that-is-secret"
SETUP = AgentSetup(environment={"PLAIN": VALUE})


def ask(tmp_path: Path, act: Act, view: View | None = None, setup: AgentSetup = SETUP) -> tuple[Proposed, Actor]:
    actor = Actor([(act, ended())])
    draft = tmp_path / "draft" if (tmp_path / "draft").exists() else draft_of(tmp_path)
    said = AgentProposer(actor, ROOT / "prompts", setup).propose(
        view or view_of(tmp_path, made_up(3)), draft, tmp_path / "agent"
    )
    return said, actor


@pytest.mark.parametrize("path", ["train.py", "new.py", f"{VALUE}.txt"])
def test_an_edit_that_holds_a_secret_is_a_violation_and_nothing_of_it_stays(tmp_path: Path, path: str) -> None:
    said, _ = ask(tmp_path, writes(f"X = {VALUE!r}\n", path))
    where = path.replace(VALUE, "[redacted PLAIN]")
    assert said.violations == (f"{where} held the secret value of PLAIN, and was removed",)
    assert (tmp_path / "draft" / "train.py").read_text() == "X = 1.0\n"
    assert sorted(each.name for each in (tmp_path / "draft").iterdir()) == ["data", "prepare.py", "train.py"]


def test_a_key_of_ones_own_is_a_secret_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "0123456789abc")
    said, _ = ask(tmp_path, writes("X = '0123456789abc'\n"), setup=AgentSetup())
    assert said.violations == ("train.py held the secret value of SOME_API_KEY, and was removed",)


def test_what_held_the_value_before_may_go_on_to_hold_it(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, f"X = 1.0  # {VALUE}\n")
    (draft / "notes.txt").write_text(VALUE)
    said, _ = ask(tmp_path, writes(f"X = 2.0  # {VALUE}\n"))
    assert (said.violations, said.failure) == ((), "")
    assert (draft / "notes.txt").read_text() == VALUE


def test_what_a_killed_call_left_is_cleaned_before_the_next_one(tmp_path: Path) -> None:
    for name in ("conversation-1/tmp", "draft-2/src", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "note.txt").write_text(VALUE)
    ask(tmp_path, nothing)
    kept = [path.parent.name for path in tmp_path.rglob("note.txt") if VALUE in path.read_text()]
    assert kept == ["elsewhere"]


def test_a_violation_stands_in_the_ledger_and_keeps_nothing(laboratory: Laboratory) -> None:
    class Leaking(Edits):
        def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
            super().propose(view, draft, record_dir)
            return Proposed(violations=("it held a secret",))

    laboratory.make().run(Leaking({2: set_x(2.0)}), limit=2)
    entry = laboratory.entries()[1]
    assert (entry.status, entry.verdict, entry.reason) == ("violation", "invalid", "it held a secret")


FAILED = [entry_of(1, "advance", 4.5, parent_run=""), *(entry_of(nr, "revert", 5.0) for nr in range(2, 12))]
AGENT = {"agent": {"search_tools": ["WebSearch"], "options": {"tools": ["Task"]}}}


@pytest.mark.parametrize(("runs", "tools"), [(11, ["Task", "WebSearch"]), (10, ["Task"])])
def test_tools_for_searching_are_given_at_the_step_search_alone(tmp_path: Path, runs: int, tools: list[str]) -> None:
    view = view_of(tmp_path, FAILED[:runs], **AGENT)
    _, actor = ask(tmp_path, nothing, view)
    assert actor.calls[0].options["tools"] == tools
    assert ("you have Task, WebSearch" in actor.calls[0].prompt) == (runs == 11)


def test_without_such_a_tool_the_prompt_says_so(tmp_path: Path) -> None:
    _, actor = ask(tmp_path, nothing, view_of(tmp_path, FAILED))
    assert "You have no tool\nthat searches the web, so use what you know." in actor.calls[0].prompt


def test_a_secret_is_taken_out_of_the_prompt_and_reaches_the_call_alone(tmp_path: Path) -> None:
    setup = AgentSetup(instructions=f"say {VALUE}", environment=SETUP.environment)
    _, actor = ask(tmp_path, nothing, setup=setup)
    assert "say [redacted PLAIN]" in actor.calls[0].prompt and VALUE not in actor.calls[0].prompt
    assert actor.calls[0].environment == {"PLAIN": VALUE}
    assert VALUE not in repr(actor.calls[0])


@pytest.mark.parametrize("agent", [{"cost_usd": 2.0, "rework_cost_usd": 0.5}, {}])
def test_a_repair_for_the_guard_may_cost_what_is_set_for_it(laboratory: Laboratory, agent: dict[str, float]) -> None:
    edits = Edits({2: set_x(2.0), 3: set_x(2.5)})
    guard = {"argv": ["grep", "-q", "X = 1", "train.py"]}
    laboratory.make(guard=guard, rework=1, agent=agent).run(edits, limit=3)
    assert [view.spec.agent.cost_usd for view in edits.views] == ([2.0, 0.5] if agent else [None, None])
    assert [view.rework is not None for view in edits.views] == [False, True]


def shown_by(tmp_path: Path, command: str, **more: Any) -> str:
    """What the prompt quotes of a command."""
    view = view_of(tmp_path, made_up(3), agent={"issues_command": command}, **more)
    _, actor = ask(tmp_path, nothing, view)
    return actor.calls[0].prompt.partition("material: issues\n")[2].partition("\n~~~~~~~~")[0]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("cat train.py", "X = 1.0"),
        ("echo one >&2; exit 3", "(it printed nothing, and ended with exit code 3)"),
        ("echo x > train.py; rm prepare.py; ls", "data\ntrain.py"),
        ("printf '\\303\\050\\n'", "�("),
    ],
)
def test_the_agent_is_shown_what_a_command_finds_in_a_copy_of_its_files(
    tmp_path: Path, command: str, words: str
) -> None:
    assert shown_by(tmp_path, command) == words
    assert (tmp_path / "draft" / "train.py").read_text() == "X = 1.0\n"
    assert not (tmp_path / "agent" / "issues").exists()


def test_a_command_without_end_is_ended_and_much_output_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flagstone.experiments.proposers.calls.issues.LIMIT_S", 0.5)
    assert shown_by(tmp_path, "echo begun; sleep 60") == "begun\n\n[ended after 0 s]"
    long = shown_by(tmp_path, "yes ä | head -n 9000")
    assert len(long.encode()) <= 4096 and long.endswith("[… the rest is left out …]")
