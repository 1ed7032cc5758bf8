"""A login that is lent comes back as it was, or renewed: never as an agent would like it to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stand_in import INIT, SUCCESS, StandIn

from flagstone.agents.claude.login import FOR_AGENTS, OWN_BEFORE, is_renewal
from flagstone.agents.protocol import AgentCall, CallOutcome, Mode

Asked = Callable[..., AgentCall]
DAY_MS = 86_400_000
NOW_MS = 1_000 * DAY_MS


def login(token: str, expires_at: float, **more: Any) -> bytes:
    parts = {"accessToken": token, "refreshToken": "r", "scopes": ["user:inference"], "subscriptionType": "max"}
    return json.dumps({"claudeAiOauth": {**parts, "expiresAt": expires_at, **more}}).encode()


OLD = login("old", 1)


@pytest.fixture
def own(cli: StandIn) -> Path:
    """A user who has logged in instead of setting a key."""
    del cli.environ["ANTHROPIC_API_KEY"]
    path = Path(cli.environ["HOME"]) / ".claude" / ".credentials.json"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def leaves(cli: StandIn, content: bytes) -> None:
    """The call leaves this in the place of the lent login; what it was lent is kept for the test."""
    (cli.folder / "renewed").write_bytes(content)
    lent = "$CLAUDE_CONFIG_DIR/.credentials.json"
    cli.says(INIT, SUCCESS, then=f"cp {lent} $S/lent; cp $S/renewed {lent}")


@pytest.mark.parametrize(
    "forged",
    [
        json.dumps({"claudeAiOauth": {"accessToken": "theirs", "expiresAt": 2}}).encode(),
        login("theirs", 2, scopes=["user:inference", "org:everything"]),
        login("theirs", 2, subscriptionType="free"),
        login("theirs", 2, more="x"),
        login("theirs", NOW_MS + 40 * DAY_MS),
        login("theirs", float("inf")),
        login("theirs", 1),
        login("the\nirs", 2),
        json.dumps({**json.loads(login("theirs", 2)), "mcpOAuth": {}}).encode(),
        b"[" * 100_000,
        b"[]",
        b"",
    ],
)
def test_only_the_same_login_with_other_tokens_is_a_renewal(forged: bytes) -> None:
    assert is_renewal(OLD, login("new", 2), NOW_MS) and is_renewal(OLD, login("new", NOW_MS + DAY_MS / 3), NOW_MS)
    assert not is_renewal(OLD, forged, NOW_MS)


@pytest.mark.parametrize("call", [{"mode": Mode.JUDGE}, {"mode": Mode.EDIT}])
def test_what_the_cli_alone_can_have_renewed_is_given_back(
    cli: StandIn, asked: Asked, own: Path, call: dict[str, Any]
) -> None:
    leaves(cli, login("new", 2))
    cli.answer(asked(**call))
    assert (own.read_bytes(), own.with_name(OWN_BEFORE).read_bytes()) == (login("new", 2), OLD)
    assert own.with_name(OWN_BEFORE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call", [{}, {"mode": Mode.EDIT, "options": {"tools": ["Bash"]}}])
def test_what_an_agent_could_have_written_never_becomes_the_user_s(
    cli: StandIn, asked: Asked, own: Path, call: dict[str, Any]
) -> None:
    leaves(cli, login("theirs", 2))
    cli.answer(asked(**call))
    assert own.read_bytes() == OLD
    assert own.with_name(FOR_AGENTS).stat().st_mode & 0o777 == 0o600
    leaves(cli, login("theirs", 2))
    cli.answer(asked())
    assert (cli.folder / "lent").read_bytes() == login("theirs", 2), "further agents go on with it"
    own.write_bytes(login("logged in again", 3))
    leaves(cli, b"")
    cli.answer(asked())
    assert (cli.folder / "lent").read_bytes() == login("logged in again", 3)


@pytest.mark.parametrize(
    "trick",
    ["rm $L; mkfifo $L", "ln -sf /dev/zero $L", "ln -sf $S/renewed $L", "rm $L; mkdir -p $L/x/y", "truncate -s 9G $L"],
)
def test_whatever_lies_in_its_place_the_call_ends_and_the_login_is_as_it_was(
    cli: StandIn, asked: Asked, own: Path, trick: str
) -> None:
    (cli.folder / "renewed").write_bytes(login("theirs", 2))
    cli.says(INIT, SUCCESS, then=f"L=$CLAUDE_CONFIG_DIR/.credentials.json; {trick}")
    call = asked(mode=Mode.EDIT)
    assert cli.answer(call).outcome is CallOutcome.OK
    assert own.read_bytes() == OLD
    assert not list(call.task.run_root.rglob("*credentials*"))
