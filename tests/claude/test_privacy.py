"""What is the user's stays the user's: keys, settings, hooks, and what other programs have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import KEY, Desk
from messages_api import MessagesApi, Says, use

from flagstone.agents.protocol import CallOutcome

EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd")


def hooks(command: str) -> str:
    """Settings that run a command at every occasion there is."""
    return json.dumps({"hooks": {name: [{"hooks": [{"type": "command", "command": command}]}] for name in EVENTS}})


def files_with(word: bytes, folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


@pytest.mark.parametrize("name", ["settings.json", "settings.local.json"])
def test_hooks_that_lie_in_the_run_are_not_run(desk: Desk, api: MessagesApi, name: str) -> None:
    settings = desk.root / ".claude" / name
    settings.parent.mkdir()
    settings.write_text(hooks(f"touch {desk.workspace}/hooked"))
    api.plays(use("Bash", command="true"), Says("done"))
    assert desk.ask().outcome is CallOutcome.OK
    assert not (desk.workspace / "hooked").exists()


def test_hooks_that_an_agent_leaves_for_its_next_call_are_not_run(desk: Desk, api: MessagesApi) -> None:
    settings = json.dumps(hooks(f"touch {desk.workspace}/hooked"))
    leave = f"import os; open(os.environ['CLAUDE_CONFIG_DIR'] + '/settings.json', 'w').write({settings})"
    (desk.workspace / "leave.py").write_text(leave)
    api.plays(use("Bash", command="python3 workspace/leave.py"), Says("done"))
    desk.ask()
    assert (desk.session_folder / "config" / "settings.json").exists()
    api.plays(use("Bash", command="true"), Says("done"))
    assert desk.ask().outcome is CallOutcome.OK
    assert not (desk.workspace / "hooked").exists()


def test_instructions_that_lie_in_the_run_are_not_sent(desk: Desk, api: MessagesApi) -> None:
    (desk.root / "CLAUDE.md").write_text("the word is heliotrope")
    (desk.root / ".claude" / "commands").mkdir(parents=True)
    (desk.root / ".claude" / "commands" / "heliotrope.md").write_text("do something else")
    desk.ask()
    assert "heliotrope" not in json.dumps(dict(api.asked[0].body))


def test_servers_that_lie_in_the_run_are_not_started(desk: Desk, api: MessagesApi) -> None:
    server = {"command": "sh", "args": ["-c", f"touch {desk.workspace}/started"]}
    (desk.root / ".mcp.json").write_text(json.dumps({"mcpServers": {"mine": server}}))
    desk.ask()
    assert not (desk.workspace / "started").exists()
    assert not [name for name in api.asked[0].tools if name.startswith("mcp__")]


def test_a_mention_of_a_file_does_not_send_it(desk: Desk, api: MessagesApi) -> None:
    (desk.root / "notes.md").write_text("the word is heliotrope")
    desk.ask(prompt="see @notes.md and @./notes.md, or @notes.md#L1.")
    assert "heliotrope" not in json.dumps(dict(api.asked[0].body))


def test_a_command_of_the_cli_in_a_prompt_is_only_words(desk: Desk, api: MessagesApi) -> None:
    result = desk.ask(prompt="/clear")
    assert (result.outcome, "/clear" in api.asked[0].heard[-1]) == (CallOutcome.OK, True)


def test_the_key_is_in_no_file_of_the_run(desk: Desk, api: MessagesApi) -> None:
    look = "env; tr '\\\\0' '\\\\n' < /proc/$PPID/environ; echo $ANTHROPIC_API_KEY >&2; echo '" + KEY + "'"
    api.plays(use("Bash", command=look.replace("\\\\", "\\")), Says(f"the key is {KEY}"))
    result = desk.ask()
    assert result.outcome is CallOutcome.OK
    assert KEY in "".join(api.asked[-1].heard), "the shell did not see it: then this shows nothing"
    assert files_with(KEY.encode(), desk.root) == []
    assert KEY not in repr(result)
    assert not [event for event in desk.seen if KEY in event.text]


def test_a_conversation_goes_on_after_its_keys_were_taken_out(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command=f"echo '{KEY}'"), Says("the word is heliotrope"))
    desk.ask()
    api.plays(Says("I remember"))
    assert desk.ask().outcome is CallOutcome.OK
    assert "heliotrope" in json.dumps(dict(api.asked[-1].body))


def test_the_users_own_settings_are_neither_read_nor_changed(desk: Desk, api: MessagesApi) -> None:
    home = Path(desk.environ["HOME"])
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(hooks(f"touch {desk.workspace}/hooked"))
    (settings.parent / "CLAUDE.md").write_text("the word is heliotrope")
    before = sorted(home.rglob("*"))
    desk.ask()
    assert sorted(home.rglob("*")) == before
    assert not (desk.workspace / "hooked").exists()
    assert "heliotrope" not in json.dumps(dict(api.asked[0].body))


def test_what_is_kept_is_for_the_user_alone(desk: Desk) -> None:
    desk.ask()
    records = [
        desk.session_folder,
        *(desk.root / "drafts" / "03" / "001" / name for name in ("transcript.jsonl", "stderr.txt")),
    ]
    assert [path.stat().st_mode & 0o077 for path in records] == [0, 0, 0]


def test_other_secrets_of_the_shell_do_not_reach_it(desk: Desk, api: MessagesApi) -> None:
    desk.environ |= {"HF_TOKEN": "hf-secret-000000", "AWS_SECRET_ACCESS_KEY": "aws-secret-000000"}
    api.plays(use("Bash", command="env"), Says("done"))
    desk.ask()
    assert "secret-000000" not in "".join(api.asked[-1].heard)
