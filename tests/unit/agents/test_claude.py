"""The CLI is started exactly as measured, in a folder of its own, and nothing it does goes unrecorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stand_in import INIT, SESSION, SUCCESS, StandIn

from flagstone.agents.claude.launch import command_limits
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, CallOutcome, Conversation, Limits, Mode, Usage
from flagstone.errors import Interrupted
from flagstone.processes import Survivor
from flagstone.processes.tree import MARK, entry_of, environment_of

Asked = Callable[..., AgentCall]
AGAIN = Conversation(SESSION, resume=True)


def login(token: str, expires_at: int) -> bytes:
    return json.dumps({"claudeAiOauth": {"accessToken": token, "expiresAt": expires_at}}).encode()


@pytest.fixture
def own_login(cli: StandIn) -> Path:
    """A user who has logged in instead of setting a key."""
    del cli.environ["ANTHROPIC_API_KEY"]
    path = Path(cli.environ["HOME"]) / ".claude" / ".credentials.json"
    path.parent.mkdir()
    path.write_bytes(login("old", 1))
    return path


def test_a_result_tells_everything_the_cli_told(cli: StandIn, asked: Asked) -> None:
    tool = {"type": "tool_use", "id": "1", "name": "Edit", "input": {"file_path": "/x"}}
    denial = {"tool_name": "Bash", "tool_input": {"command": "rm -rf /"}}
    cli.says(INIT, {"type": "assistant", "message": {"content": [tool]}}, {**SUCCESS, "permission_denials": [denial]})
    result = cli.answer(asked())
    assert (result.outcome, result.text, result.session_id) == (CallOutcome.OK, "all done", SESSION)
    assert (result.exit_code, result.turns, result.cost_usd) == (0, 3, 0.25)
    assert result.usage == Usage(11, 22, 33, 44)
    assert (result.tools, result.denied) == ({"Edit": 1}, ("Bash: rm -rf /",))
    assert result.started_at <= result.ended_at
    assert [event.kind for event in cli.seen] == ["session", "tool", "final"]


def test_the_transcript_is_every_line_without_secrets(cli: StandIn, asked: Asked) -> None:
    told = {**SUCCESS, "result": "the key is not-a-real-key-000"}
    cli.says(INIT, b"%%%", told, stderr="warning: not-a-real-key-000\n")
    call = asked()
    result = cli.answer(call)
    lines = (call.record_dir / "transcript.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["type"] for line in (lines[0], lines[2])] == ["system", "result"]
    assert lines[1] == b"%%%"
    assert result.text == "the key is [redacted ANTHROPIC_API_KEY]"
    assert (call.record_dir / "stderr.txt").read_text() == "warning: [redacted ANTHROPIC_API_KEY]\n"


def test_work_may_use_the_shell_and_write_below_its_folders(cli: StandIn, asked: Asked) -> None:
    call = asked()
    folder = call.writable[0]
    folder.mkdir()
    cli.answer(call)
    assert cli.argv == [
        *("-p", "--output-format", "stream-json", "--verbose"),
        *("--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands"),
        *("--session-id", SESSION, "--model", "some-model"),
        *("--max-turns", "40", "--max-budget-usd", "2.500000"),
        *("--tools", "Read,Edit,Write,Glob,Grep,Bash"),
        *("--permission-mode", "dontAsk", "--permission-prompts", "none"),
        *("--allowedTools", f"Edit(/{folder}/**)", "Read", "Glob", "Grep", "Bash"),
    ]


def test_an_edit_may_write_the_named_file_only_and_run_nothing(cli: StandIn, asked: Asked, tmp_path: Path) -> None:
    cli.answer(asked(mode=Mode.EDIT, writable=(tmp_path / "train.py",)))
    assert (
        cli.argv[-8:]
        == [
            *("--tools", "Read,Edit,Write", "--permission-mode", "dontAsk", "--permission-prompts", "none"),
            *("--allowedTools", f"Edit(/{tmp_path}/train.py)", "Read"),
        ][-8:]
    )
    assert "Bash" not in "".join(cli.argv)


def test_a_judge_has_no_tools_and_answers_in_the_form_asked_for(cli: StandIn, asked: Asked) -> None:
    cli.answer(asked(mode=Mode.JUDGE, reply_schema={"type": "object"}, writable=()))
    assert cli.argv[-5:] == ["--json-schema", '{"type": "object"}', "--tools", "", "--no-session-persistence"]


def test_a_resumed_conversation_is_given_its_model_again(cli: StandIn, asked: Asked) -> None:
    cli.answer(asked(conversation=AGAIN))
    assert cli.argv[8:12] == ["--resume", SESSION, "--model", "some-model"]


def test_further_tools_and_variables_come_from_the_settings(cli: StandIn, asked: Asked) -> None:
    cli.environ |= {"MY_SETTING": "1", "MY_OTHER": "2"}
    cli.answer(asked(options={"tools": ["WebSearch"], "environment": ["MY_SETTING"]}))
    assert cli.argv[cli.argv.index("--tools") + 1].endswith(",WebSearch")
    assert cli.argv[-1] == "WebSearch"
    assert "MY_SETTING" in cli.env
    assert "MY_OTHER" not in cli.env


def test_without_limit_on_money_none_is_given(cli: StandIn, asked: Asked) -> None:
    cli.answer(asked(limits=Limits(9, 9, 5, None), model=None))
    assert not {"--max-budget-usd", "--model"} & set(cli.argv)


def test_the_prompt_comes_on_stdin_whole(cli: StandIn, asked: Asked) -> None:
    prompt = "–p ünïcode\n" * 30_000
    cli.answer(asked(prompt=prompt))
    assert cli.prompt == prompt


def test_a_mention_of_a_file_in_the_prompt_does_not_send_that_file(cli: StandIn, asked: Asked) -> None:
    call = asked()
    (call.task.run_root / "notes.md").write_text("private")
    cli.answer(asked(prompt="see @notes.md, @/etc/hostname and a@b.c and\n@dataclass"))
    assert cli.prompt == "see @ notes.md, @ /etc/hostname and a@b.c and\n@dataclass"


def test_a_prompt_that_begins_with_a_slash_is_no_command_of_the_cli(cli: StandIn, asked: Asked) -> None:
    cli.answer(asked(prompt="/clear the table"))
    assert cli.prompt == "\n/clear the table"


def test_keys_are_taken_out_of_what_the_cli_writes_down_itself(cli: StandIn, asked: Asked) -> None:
    record = '{"text": "it is $ANTHROPIC_API_KEY"}'
    cli.says(
        INIT, SUCCESS, then=f"echo '{record}' | sed s/.ANTHROPIC_API_KEY/$ANTHROPIC_API_KEY/ > $CLAUDE_CONFIG_DIR/x"
    )
    call = asked()
    cli.answer(call, grace_s=20)  # it writes after its result
    kept = call.record_dir.parent / f"conversation-{SESSION}" / "config" / "x"
    assert kept.read_text() == '{"text": "it is [redacted ANTHROPIC_API_KEY]"}\n'


def test_a_command_may_run_nearly_as_long_as_the_call_or_as_long_as_the_person_allows() -> None:
    limits = Limits(wall_s=7200, silence_s=1800, turns=40, cost_usd=None)
    ours = {"BASH_MAX_TIMEOUT_MS": "6480000", "BASH_DEFAULT_TIMEOUT_MS": "1800000"}
    assert command_limits(limits, {}) == ours
    assert command_limits(limits, {"BASH_MAX_TIMEOUT_MS": "9000000"}) == ours | {"BASH_MAX_TIMEOUT_MS": "9000000"}
    assert command_limits(limits, {"BASH_MAX_TIMEOUT_MS": "x", "BASH_DEFAULT_TIMEOUT_MS": "5"}) == ours


def test_the_environment_is_clean_and_private(cli: StandIn, asked: Asked) -> None:
    cli.environ |= {"HF_TOKEN": "hf-secret-secret", "LD_PRELOAD": "x.so", "CLAUDECODE": "1", "LC_ALL": "C"}
    cli.environ["CUDA_VISIBLE_DEVICES"] = "0"
    call = asked()
    cli.answer(call)
    folder = call.record_dir.parent / f"conversation-{SESSION}"
    expected = {
        "CLAUDE_CONFIG_DIR": str(folder / "config"),
        "TMPDIR": str(folder / "tmp"),
        "ANTHROPIC_API_KEY": "not-a-real-key-000",
        "LC_ALL": "C",
        "GIT_CEILING_DIRECTORIES": str(call.task.run_root.parent),
        "CLAUDE_CODE_MAX_RETRIES": "3",
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "API_TIMEOUT_MS": "120000",
        "CLAUDE_ENABLE_BYTE_WATCHDOG": "1",
        "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "60000",
    }
    assert expected.items() <= cli.env.items()
    assert not {"HF_TOKEN", "LD_PRELOAD", "CLAUDECODE"} & cli.env.keys()
    assert cli.env["CUDA_VISIBLE_DEVICES"] == "0"
    cli.answer(asked(mode=Mode.EDIT))
    assert "CUDA_VISIBLE_DEVICES" not in cli.env
    assert (folder.stat().st_mode | (folder / "config").stat().st_mode) & 0o077 == 0


def test_it_works_in_the_run(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, SUCCESS, then="pwd > $S/here")
    call = asked()
    cli.answer(call)
    assert (cli.folder / "here").read_text().strip() == str(call.task.run_root)


def test_the_users_login_is_lent_for_the_call_and_nothing_of_it_stays(
    cli: StandIn, asked: Asked, own_login: Path
) -> None:
    cli.says(INIT, SUCCESS, then="cp -p $CLAUDE_CONFIG_DIR/.credentials.json $S/lent")
    call = asked()
    cli.answer(call)
    lent = cli.folder / "lent"
    assert lent.read_bytes() == own_login.read_bytes()
    assert lent.stat().st_mode & 0o777 == 0o600
    assert not list(call.task.run_root.rglob("*credentials*"))


@pytest.mark.parametrize(
    ("renewed", "expected"), [(login("new", 2), "new"), (b"{broken", "old"), (login("x", 0), "old")]
)
def test_a_login_renewed_meanwhile_is_given_back(
    cli: StandIn, asked: Asked, own_login: Path, renewed: bytes, expected: str
) -> None:
    (cli.folder / "renewed").write_bytes(renewed)
    cli.says(INIT, SUCCESS, then="cp $S/renewed $CLAUDE_CONFIG_DIR/.credentials.json")
    cli.answer(asked(mode=Mode.EDIT))
    assert json.loads(own_login.read_bytes())["claudeAiOauth"]["accessToken"] == expected


def test_a_login_that_the_user_changed_meanwhile_is_left_alone(cli: StandIn, asked: Asked, own_login: Path) -> None:
    (cli.folder / "renewed").write_bytes(login("renewed", 2))
    (cli.folder / "newest").write_bytes(login("newest", 3))
    then = f"cp $S/renewed $CLAUDE_CONFIG_DIR/.credentials.json; cp $S/newest {own_login}"
    cli.says(INIT, SUCCESS, then=then)
    cli.answer(asked(mode=Mode.EDIT))
    assert own_login.read_bytes() == login("newest", 3)


def test_the_cost_of_a_resumed_conversation_is_counted_once(cli: StandIn, asked: Asked) -> None:
    totals = (0.25, 0.40, None, 0.90)
    costs = []
    for number, total in enumerate(totals):
        cli.says(INIT, {**SUCCESS, "total_cost_usd": total})
        costs.append(cli.answer(asked(conversation=Conversation(SESSION, resume=number > 0))).cost_usd)
    assert costs == [0.25, pytest.approx(0.15), None, pytest.approx(0.5)]
    cli.says(INIT, {**SUCCESS, "total_cost_usd": 1.0})
    assert cli.answer(asked()).cost_usd == 1.0


def test_two_calls_never_use_one_conversation_at_once(cli: StandIn, asked: Asked) -> None:
    call = asked()
    with SessionFolder.of(call).lock() as is_ours:
        assert is_ours
        assert cli.answer(call).outcome is CallOutcome.SESSION_BUSY
    assert not cli.was_started
    assert cli.answer(call).outcome is CallOutcome.OK


def test_what_an_earlier_life_left_running_is_ended_first(cli: StandIn, asked: Asked) -> None:
    call = asked()
    env = {**os.environ, MARK: f":{SessionFolder.of(call).owner}//0"}
    with subprocess.Popen(["sleep", "30"], env=env, start_new_session=True) as orphan:
        until = time.monotonic() + 300
        while not environment_of(orphan.pid) and time.monotonic() < until:
            continue  # the kernel shows it a moment after the program has begun
        assert cli.answer(call).outcome is CallOutcome.OK
        assert orphan.wait() == -signal.SIGTERM


def test_a_new_conversation_ends_what_an_earlier_one_of_its_stage_left_running(cli: StandIn, asked: Asked) -> None:
    before, after = asked(), asked(conversation=Conversation("another", resume=False))
    env = {**os.environ, MARK: f":{SessionFolder.of(before).owner}//0"}
    with subprocess.Popen(["sleep", "30"], env=env, start_new_session=True) as orphan:
        until = time.monotonic() + 300
        while not environment_of(orphan.pid) and time.monotonic() < until:
            continue  # the kernel shows it a moment after the program has begun
        cli.says({**INIT, "session_id": "another"}, {**SUCCESS, "session_id": "another"})
        assert cli.answer(after).outcome is CallOutcome.OK
        assert orphan.wait() == -signal.SIGTERM


def test_two_conversations_of_one_stage_do_not_end_each_other(cli: StandIn, asked: Asked) -> None:
    with SessionFolder.of(asked()).lock():
        other = asked(conversation=Conversation("another", resume=False))
        assert cli.answer(other).outcome is CallOutcome.SESSION_BUSY


def test_nothing_starts_beside_what_could_not_be_ended(
    cli: StandIn, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.processes.tree.signal_all", lambda *_: None)
    monkeypatch.setattr("flagstone.processes.tree.ASK_S", 0.01)
    monkeypatch.setattr("flagstone.processes.tree.KILL_S", 0.02)
    cli.says(INIT, SUCCESS, then="setsid sleep 30 >/dev/null 2>&1 & echo $! > $S/left; sleep 0.05")
    first = cli.answer(asked())
    pid = int((cli.folder / "left").read_text())
    (cli.folder / "argv").unlink()
    second = cli.answer(asked(conversation=AGAIN))
    os.kill(pid, signal.SIGKILL)
    assert (first.outcome, second.outcome) == (CallOutcome.UNCLEAN, CallOutcome.UNCLEAN)
    assert str(pid) in first.reason
    assert str(pid) in second.reason
    assert not cli.was_started
    cli.says(INIT, SUCCESS)
    assert cli.answer(asked(conversation=AGAIN)).outcome is CallOutcome.OK


def test_a_survivor_that_hides_its_mark_is_remembered_by_its_number(cli: StandIn, asked: Asked) -> None:
    call = asked()
    with subprocess.Popen(["sleep", "30"], env={}) as hidden:
        entry = entry_of(hidden.pid)
        assert entry is not None
        SessionFolder.of(call).note_survivors((Survivor(hidden.pid, entry.started_ticks),))
        assert cli.answer(call).outcome is CallOutcome.UNCLEAN
        hidden.kill()
    assert cli.answer(call).outcome is CallOutcome.OK


@pytest.mark.parametrize(
    ("changes", "outcome", "word"),
    [
        ({"prompt": " \n"}, CallOutcome.CONFIG, "prompt is empty"),
        ({"conversation": Conversation("../../etc", resume=False)}, CallOutcome.CONFIG, "conversation"),
        ({"limits": Limits(1, 1, 0, None)}, CallOutcome.CONFIG, "at least one turn"),
        ({"limits": Limits(1, 1, 1, 0.0)}, CallOutcome.BUDGET, "no money"),
        ({"writable": (Path("/x/a(b)"),)}, CallOutcome.CONFIG, "rename it"),
    ],
)
def test_a_call_that_cannot_work_is_not_started(
    cli: StandIn, asked: Asked, changes: dict[str, Any], outcome: CallOutcome, word: str
) -> None:
    result = cli.answer(asked(**changes))
    assert (result.outcome, word in result.reason, result.cost_usd) == (outcome, True, 0.0)
    assert not cli.was_started


def test_an_interruption_is_raised_after_the_cli_was_stopped(
    cli: StandIn, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    # whoever runs the tests in the background has it ignored
    monkeypatch.setattr("flagstone.processes.interruption.ASKING", (signal.SIGUSR1,))
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    cli.says(INIT, then="kill -USR1 $PPID; exec sleep 20")
    with pytest.raises(Interrupted):
        cli.answer(asked())
    cli.says(INIT, SUCCESS)
    assert cli.answer(asked(conversation=AGAIN)).outcome is CallOutcome.OK


def test_output_without_end_is_kept_within_bounds(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, then="head -c 20000000 /dev/zero | tr '\\0' x; echo; tail -n 1 $S/last")
    (cli.folder / "last").write_text(json.dumps(SUCCESS) + "\n")
    call = asked()
    assert cli.answer(call).outcome is CallOutcome.OK
    assert (call.record_dir / "transcript.jsonl").stat().st_size < 9_000_000
