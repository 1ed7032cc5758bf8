"""Any coding CLI becomes an agent by a template: a stand-in that prints JSON lines is called for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flagstone.agents import sandbox
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, CallOutcome, Conversation, Event, Limits, Mode, Task
from flagstone.agents.sandbox import Strength
from flagstone.agents.template.driver import CommandAgent
from flagstone.agents.template.template import KEPT_TEXT, OutputReader, Template
from flagstone.errors import FlagstoneError
from flagstone.processes.tree import Survivor, entry_of

STAND_IN = """import json, os, sys
said = sys.stdin.read()
draft = sys.argv[sys.argv.index("--draft") + 1]
resumed = sys.argv[sys.argv.index("resume") + 1] if "resume" in sys.argv else ""
def tell(**event): print(json.dumps(event), flush=True)
tell(type="thread.started", thread_id=resumed or "own-17")
tell(type="item.completed", item={"type": "reasoning", "text": "not the answer"})
if "fail" in said:
    print(said, file=sys.stderr); sys.exit(3)
open(draft, "w").write(said + resumed)
tell(type="item.completed", item={"type": "agent_message", "text": "did it"})
tell(type="turn.completed", usage={"input_tokens": 12, "output_tokens": 5})
"""
OPTIONS = {
    "resume_argv": ["cli", "--draft", "{draft}", "resume", "{session}"],
    "session": "thread_id",
    "text": "item.text",
    "text_when": {"item.type": "agent_message"},
    "input_tokens": "usage.input_tokens",
    "output_tokens": "usage.output_tokens",
}


@pytest.fixture
def agent(tmp_path: Path) -> CommandAgent:
    program = tmp_path / "cli.py"
    program.write_text(STAND_IN)
    argv = [sys.executable, str(program), "--draft", "{draft}"]
    return CommandAgent({**OPTIONS, "argv": argv, "resume_argv": [*argv, "resume", "{session}"]})


def call(tmp_path: Path, prompt: str, *, resume: bool = False, attempt: int = 1) -> AgentCall:
    record = tmp_path / "drafts" / f"{attempt:03d}"
    record.mkdir(parents=True, exist_ok=True)
    return AgentCall(
        prompt=prompt,
        conversation=Conversation("ours-1", resume),
        task=Task("01", "Literature Survey", attempt, tmp_path, record / "draft.md"),
        mode=Mode.WORK,
        writable=(tmp_path,),
        model=None,
        limits=Limits(20, 20, 10, None),
        record_dir=record,
        options={},
    )


def ignore(_: Event) -> None:
    return None


def test_a_call_reads_text_session_and_tokens_and_an_unstated_cost_stays_unknown(
    agent: CommandAgent, tmp_path: Path
) -> None:
    events: list[Event] = []
    result = agent.call(call(tmp_path, "write it"), events.append)
    assert result.outcome is CallOutcome.OK
    assert result.text == "did it"
    assert (result.usage.input_tokens, result.usage.output_tokens) == (12, 5)
    assert result.cost_usd is None
    assert (tmp_path / "drafts" / "001" / "draft.md").read_text() == "write it"
    assert [event.text for event in events if event.kind == "text"] == ["did it"]


STATEFUL = """import os, sys
state = sys.argv[1]
words = [name + "=" + open(os.path.join(state, name)).read() for name in sorted(os.listdir(state))]
open(sys.argv[2], "w").write(" ".join(words))
for name, text in (("config", "hooks"), ("session", "talk")):
    open(os.path.join(state, name), "w").write(text)
"""


def test_the_folders_of_a_cli_are_lent_as_copies_that_only_its_conversation_goes_on_with(tmp_path: Path) -> None:
    """Settings that an agent wrote into ~/.codex were run by the person's own next call of it."""
    own = tmp_path / "home" / "state"
    own.mkdir(parents=True)
    for name in ("config", "login"):
        (own / name).write_text("mine")
    os.truncate(os.open(own / "old-talk", os.O_CREAT | os.O_WRONLY), 6_000_000)  # nobody needs it, and it takes time
    (tmp_path / "cli.py").write_text(STATEFUL)
    argv = [sys.executable, str(tmp_path / "cli.py"), str(own), "{draft}", "{session}"]
    agent = CommandAgent({"argv": argv, "resume_argv": argv, "state": [str(own), "/nowhere/state"]})
    run = tmp_path / "run"
    for attempt, told in ((1, "config=mine login=mine"), (2, "config=mine login=mine session=talk")):
        result = agent.call(call(run, "on", resume=attempt > 1, attempt=attempt), ignore)
        assert result.outcome is CallOutcome.OK, result.reason
        assert (run / "drafts" / f"{attempt:03d}" / "draft.md").read_text() == told
        assert [(own / name).read_text() for name in ("config", "login")] == ["mine", "mine"]
        assert len(list(own.iterdir())) == 3
    left = [path.name for path in run.rglob("state/0/*")]
    assert left == ["session"], "neither a login nor settings stay in a run"


def test_a_conversation_goes_on_under_the_name_the_cli_gave_it(agent: CommandAgent, tmp_path: Path) -> None:
    agent.call(call(tmp_path, "first"), ignore)
    result = agent.call(call(tmp_path, "second", resume=True, attempt=2), ignore)
    assert result.outcome is CallOutcome.OK
    assert (tmp_path / "drafts" / "002" / "draft.md").read_text() == "secondown-17"


def test_a_conversation_that_was_never_named_is_lost_and_not_silently_started_anew(
    agent: CommandAgent, tmp_path: Path
) -> None:
    assert agent.call(call(tmp_path, "on", resume=True), ignore).outcome is CallOutcome.SESSION_LOST


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("fail: 429 too many requests", CallOutcome.RETRYABLE),
        ("fail: invalid api key", CallOutcome.AUTH),
        ("fail: no idea", CallOutcome.CRASHED),
    ],
)
def test_what_a_failing_cli_says_decides_what_its_end_means(
    agent: CommandAgent, tmp_path: Path, words: str, outcome: CallOutcome
) -> None:
    result = agent.call(call(tmp_path, words), ignore)
    assert (result.outcome, result.exit_code) == (outcome, 3)


def test_an_outage_told_in_plain_text_with_exit_0_is_an_outage_if_no_draft_was_written(tmp_path: Path) -> None:
    asked = call(tmp_path, "Error: 429 too many requests")
    asked.task.draft.write_text("")
    agent = CommandAgent({"argv": ["cat"]})
    assert agent.call(asked, ignore).outcome is CallOutcome.RETRYABLE
    asked.task.draft.write_text("about HTTP 429")
    assert agent.call(asked, ignore).outcome is CallOutcome.OK


def test_a_cli_that_prints_plain_text_is_read_as_it_is(tmp_path: Path) -> None:
    agent = CommandAgent({"argv": ["cat"]})
    result = agent.call(call(tmp_path, "two\nlines\n"), ignore)
    assert (result.outcome, result.text) == (CallOutcome.OK, "two\nlines")


def test_a_missing_program_is_named_with_its_cure() -> None:
    fault = CommandAgent({"argv": ["no-such-cli"]}).fault()
    assert fault is not None
    assert "no-such-cli" in fault[0]


WRITER = """import json, os, sys
said = sys.stdin.read()
done = []
for name in ("train.py", "harness.py", "train.py.new"):
    try:
        with open(name, "w") as stream: stream.write("an agent was here")
        done.append(name)
    except OSError: pass
print(json.dumps({"text": ",".join(done)}))
"""
FORM = {"type": "object", "properties": {"pick": {"enum": ["a", "b"]}}, "required": ["pick"]}


def editing(tmp_path: Path, **changes: object) -> tuple[CommandAgent, AgentCall]:
    (tmp_path / "writer.py").write_text(WRITER)
    for name in ("train.py", "harness.py"):
        (tmp_path / name).write_text("as it was")
    agent = CommandAgent({"argv": [sys.executable, "writer.py"], "text": "text"})
    edit = replace(call(tmp_path, "faster"), mode=Mode.EDIT, writable=(tmp_path / "train.py",))
    return agent, replace(edit, **changes)  # type: ignore[arg-type]


@pytest.mark.skipif(not sandbox.strength().keeps_files, reason="nothing here keeps files")
def test_an_edit_may_write_the_named_file_and_nothing_beside_it(tmp_path: Path) -> None:
    agent, edit = editing(tmp_path)
    result = agent.call(edit, ignore)
    assert (result.outcome, result.text) == (CallOutcome.OK, "train.py")
    assert "landlock" in result.sandbox
    assert (tmp_path / "harness.py").read_text() == "as it was"


def test_an_edit_that_nothing_could_hold_is_refused_until_a_person_switches_the_sandbox_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "strength", lambda: Strength(0, "bubblewrap is not installed"))
    agent, edit = editing(tmp_path)
    with pytest.raises(FlagstoneError, match="nothing on this machine can keep them"):
        agent.call(edit, ignore)
    assert (tmp_path / "train.py").read_text() == "as it was"
    assert agent.call(replace(edit, sandbox="off"), ignore).text == "train.py,harness.py,train.py.new"


@pytest.mark.parametrize(
    "answer",
    ['{"pick": "b"}', 'I think:\n```json\n{"pick": "b"}\n```\nbecause.', 'It is {"pick": "b"}, surely'],
    ids=["bare", "fenced", "in a sentence"],
)
def test_a_judge_s_reply_is_read_and_held_to_its_form(tmp_path: Path, answer: str) -> None:
    agent = CommandAgent({"argv": [sys.executable, "-c", f"print({answer!r})"]})
    asked = replace(call(tmp_path, "which?"), mode=Mode.JUDGE, writable=(), reply_schema=FORM)
    result = agent.call(asked, ignore)
    assert (result.outcome, result.structured) == (CallOutcome.OK, {"pick": "b"})


@pytest.mark.parametrize(
    ("answer", "word"),
    [("b", "without any JSON"), ('{"pick": "c"}', "is not one of a, b"), ("{}", "missing key 'pick'")],
)
def test_a_reply_of_another_form_is_no_answer(tmp_path: Path, answer: str, word: str) -> None:
    agent = CommandAgent({"argv": [sys.executable, "-c", f"print({answer!r})"]})
    asked = replace(call(tmp_path, "which?"), mode=Mode.JUDGE, writable=(), reply_schema=FORM)
    result = agent.call(asked, ignore)
    assert result.outcome is CallOutcome.SCHEMA
    assert word in result.reason


@pytest.mark.skipif(not sandbox.strength().keeps_files, reason="nothing here keeps files")
def test_a_judge_is_told_the_form_and_can_write_nothing(tmp_path: Path) -> None:
    program = "import sys; said = sys.stdin.read(); print(said)\ntry: open('x', 'w')\nexcept OSError: print('kept')"
    agent = CommandAgent({"argv": [sys.executable, "-c", program]})
    asked = replace(call(tmp_path, "which?"), mode=Mode.JUDGE, writable=(tmp_path,), reply_schema=FORM)
    result = agent.call(asked, ignore)
    assert result.text.endswith("kept")
    assert '"enum"' in result.text
    assert not (tmp_path / "x").exists()


def test_a_conversation_that_is_named_by_us_goes_on_under_our_name(tmp_path: Path) -> None:
    tell = [sys.executable, "-c", "import sys; print(sys.argv[1:])"]
    agent = CommandAgent({"argv": [*tell, "--id", "{session}"], "resume_argv": [*tell, "--resume", "{session}"]})
    assert agent.call(call(tmp_path, "x"), ignore).text == "['--id', 'ours-1']"
    assert agent.call(call(tmp_path, "x", resume=True, attempt=2), ignore).text == "['--resume', 'ours-1']"


def test_pieces_of_an_answer_are_joined_until_something_else_is_told(tmp_path: Path) -> None:
    said = [
        {"content": "looking", "delta": True},
        {"type": "tool_use", "tool_name": "Read"},
        {"content": "all ", "delta": True},
        {"content": "good", "delta": True},
        {"type": "result"},
    ]
    program = f"import json\nfor each in {said!r}: print(json.dumps(each))"
    agent = CommandAgent({"argv": [sys.executable, "-c", program], "text": "content", "text_delta": "delta"})
    assert agent.call(call(tmp_path, "x"), ignore).text == "all good"


def test_an_object_over_several_lines_is_read_as_one(tmp_path: Path) -> None:
    whole = json.dumps({"session_id": "s-9", "response": "done", "cost": 0.5}, indent=2)
    options = {"text": "response", "session": "session_id", "cost_usd": "cost"}
    agent = CommandAgent({**options, "argv": [sys.executable, "-c", f"print({whole!r})"]})
    first = call(tmp_path, "x")
    result = agent.call(first, ignore)
    assert (result.text, result.cost_usd, SessionFolder.of(first).fact("session")) == ("done", 0.5, "s-9")


def test_what_stands_in_braces_in_a_prompt_is_left_alone(tmp_path: Path) -> None:
    agent = CommandAgent({"argv": ["printf", "%s", "{prompt}"], "prompt": "argument"})
    assert agent.call(call(tmp_path, "say {draft} and {session}"), ignore).text == "say {draft} and {session}"


def test_nothing_is_started_beside_what_an_earlier_call_left_running(agent: CommandAgent, tmp_path: Path) -> None:
    asked = call(tmp_path, "write it")
    with subprocess.Popen(["sleep", "60"]) as left:
        entry = entry_of(left.pid)
        assert entry is not None
        SessionFolder.of(asked).note_survivors((Survivor(left.pid, entry.started_ticks),))
        result = agent.call(asked, ignore)
        assert (result.outcome, str(left.pid) in result.reason) == (CallOutcome.UNCLEAN, True)
        left.kill()
    assert agent.call(asked, ignore).outcome is CallOutcome.OK


def test_two_calls_never_use_one_conversation_at_once(agent: CommandAgent, tmp_path: Path) -> None:
    asked = call(tmp_path, "write it")
    with SessionFolder.of(asked).lock() as is_ours:
        assert is_ours
        assert agent.call(asked, ignore).outcome is CallOutcome.SESSION_BUSY


def test_an_error_told_in_json_decides_what_the_end_means(tmp_path: Path) -> None:
    told = {"type": "turn.failed", "error": {"message": "unexpected status 401 Unauthorized"}}
    program = f"import json, sys; print(json.dumps({told!r})); sys.exit(1)"
    agent = CommandAgent({"argv": [sys.executable, "-c", program], "text": "item.text"})
    result = agent.call(call(tmp_path, "x"), ignore)
    assert (result.outcome, "401" in result.reason) == (CallOutcome.AUTH, True)


SPENDING = """import json, sys, time
for reply in range(1, 30):
    print(json.dumps({"say": f"reply {reply}", "usd": reply * 1.0, "in": reply * 900, "out": reply * 100}), flush=True)
    if reply == int(sys.argv[1]): break
    time.sleep(0.8)
"""
TOLD = {"text": "say", "cost_usd": "usd", "input_tokens": "in", "output_tokens": "out"}


@pytest.mark.parametrize(("limits", "spent"), [({"cost_usd": 1.5}, 2.0), ({"tokens": 1000}, 1.0)])
def test_a_call_ends_with_the_reply_that_reaches_its_limit(
    tmp_path: Path, limits: dict[str, Any], spent: float
) -> None:
    agent = CommandAgent({**TOLD, "argv": [sys.executable, "-c", SPENDING, "30"]})
    asked = call(tmp_path, "x")
    result = agent.call(replace(asked, limits=replace(asked.limits, **limits)), ignore)
    assert (result.outcome, result.cost_usd) == (CallOutcome.BUDGET, spent)
    assert "for this call" in result.reason


def test_a_call_that_ends_by_itself_with_its_last_cent_has_succeeded(tmp_path: Path) -> None:
    agent = CommandAgent({**TOLD, "argv": [sys.executable, "-c", SPENDING, "1"]})
    asked = call(tmp_path, "x")
    result = agent.call(replace(asked, limits=replace(asked.limits, cost_usd=1.0)), ignore)
    assert (result.outcome, result.cost_usd) == (CallOutcome.OK, 1.0)


def test_a_cost_below_nothing_is_no_cost(tmp_path: Path) -> None:
    said = json.dumps({"say": "x", "usd": -50.0, "in": -5, "out": 3})
    result = CommandAgent({**TOLD, "argv": ["echo", said]}).call(call(tmp_path, "x"), ignore)
    assert (result.cost_usd, result.usage.input_tokens, result.usage.output_tokens) == (None, None, 3)


def killed_in_the_middle(tmp_path: Path, agent: CommandAgent) -> AgentCall:
    """We are killed while the CLI works on a new conversation."""
    asked = call(tmp_path, "x")
    child = os.fork()
    if child == 0:
        agent.call(asked, ignore)
        os._exit(0)
    until = time.monotonic() + 300
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return replace(asked, conversation=Conversation("ours-1", True))


def test_a_conversation_of_ours_goes_on_after_we_were_killed(tmp_path: Path) -> None:
    work = [sys.executable, "-c", "import time; print('hello', flush=True); open('begun', 'w'); time.sleep(30)"]
    agent = CommandAgent({"argv": [*work, "{session}"], "resume_argv": ["echo", "went on with", "{session}"]})
    again = killed_in_the_middle(tmp_path, agent)
    result = agent.call(again, ignore)
    assert (result.outcome, result.text) == (CallOutcome.OK, "went on with ours-1")


def test_a_conversation_that_the_cli_never_came_to_is_begun_anew(tmp_path: Path) -> None:
    work = [sys.executable, "-c", "import time; open('begun', 'w'); time.sleep(30)", "{session}"]
    agent = CommandAgent({"argv": work, "resume_argv": ["sh", "-c", "echo unknown session >&2; exit 2"]})
    assert agent.call(killed_in_the_middle(tmp_path, agent), ignore).outcome is CallOutcome.SESSION_LOST


@pytest.mark.parametrize("line", ["y", "", '{"say": "y", "more": 1}'])
def test_very_many_short_lines_end_with_their_limit(tmp_path: Path, line: str) -> None:
    program = f"import sys\nwhile True: sys.stdout.write({line!r} + chr(10))"
    agent = CommandAgent({"argv": [sys.executable, "-c", program], "text": "say", "text_delta": "more"})
    asked = call(tmp_path, "x")
    result = agent.call(replace(asked, limits=replace(asked.limits, wall_s=1)), ignore)
    assert result.outcome is CallOutcome.TIMEOUT
    assert len(result.text) <= KEPT_TEXT


def test_lines_are_kept_as_they_are_up_to_a_limit() -> None:
    reading = OutputReader(Template.of({}))
    for line in (b"a\n", b"\n", b"  b\n"):
        reading.read(line)
    assert reading.text == "a\n\n  b"


@pytest.mark.parametrize("line", [b"y\n", b"\n", b'{"say": "y", "more": 1}\n'])
def test_a_line_costs_the_same_however_many_came_before(line: bytes) -> None:
    def seconds(count: int) -> float:
        reading, began = OutputReader(Template.of({"text": "say", "text_delta": "more"})), time.process_time()
        for _ in range(count):
            reading.read(line)
        return time.process_time() - began

    assert min(seconds(40_000) / seconds(5_000) for _ in range(3)) < 24
