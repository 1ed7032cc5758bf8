"""The user's login to Claude Code, lent to the private folder of one conversation."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flagstone.agents.protocol import AgentCall, Mode, amount
from flagstone.errors import FlagstoneError
from flagstone.records import decode_or_none, digest_bytes, read_record, write_atomic, write_record

CREDENTIALS = ".credentials.json"
OWN_BEFORE = ".credentials.before-flagstone.json"
FOR_AGENTS = ".credentials.for-flagstone.json"
LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
)
LARGEST = 100_000
LONGEST_MS = 14 * 86_400_000.0  # no renewal holds longer than this from now on
LOGIN = "claudeAiOauth"
RENEWED = ("accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt")


def credentials_of(environ: Mapping[str, str]) -> Path:
    """The file in which the user's own login is kept."""
    folder = environ.get("CLAUDE_CONFIG_DIR") or os.path.join(environ.get("HOME", "/"), ".claude")
    return Path(folder) / CREDENTIALS


def is_logged_in(environ: Mapping[str, str], variables: Collection[str] = ()) -> bool:
    """Whether a call can be paid for: by a key in the environment or in its own variables, or by the user's login."""
    has_key = any(environ.get(name) or name in variables for name in LOGIN_VARIABLES)
    return has_key or decode_or_none(plain_content(credentials_of(environ)), dict[str, Any]) is not None


def is_written_by_cli_alone(call: AgentCall) -> bool:
    """Whether only the CLI itself can have written its settings folder: an agent with a shell can as well."""
    return call.mode is Mode.JUDGE or (call.mode is Mode.EDIT and not call.options.get("tools"))


@contextmanager
def lend_login(environ: Mapping[str, str], config: Path, call: AgentCall) -> Iterator[None]:
    """Lends the user's login to a private settings folder, for one call; nothing of it stays in the run.

    The CLI may renew the login meanwhile, which can make the old one worthless. A renewed one is given back to the
    user only if no agent could have written it; otherwise it is stored apart, for further calls of agents.
    """
    own, lent = credentials_of(environ), config / CREDENTIALS
    before = plain_content(own)
    if any(environ.get(name) for name in LOGIN_VARIABLES) or not before:
        yield
        return
    given = kept_for_agents(own, before) or before
    remove(lent)
    write_atomic(lent, given, mode=0o600)
    try:
        yield
    finally:
        after = plain_content(lent, is_link_allowed=False)
        remove(lent)
        if is_renewal(given, after, time.time() * 1000) and plain_content(own) == before:
            with suppress(OSError, FlagstoneError):  # a finished call is worth more
                give_back(own, before, after, is_safe=is_written_by_cli_alone(call))


def give_back(own: Path, before: bytes, after: bytes, *, is_safe: bool) -> None:
    if is_safe:
        write_atomic(own.with_name(OWN_BEFORE), before, mode=0o600)
        write_atomic(own, after, mode=0o600)
    else:
        write_record(own.with_name(FOR_AGENTS), {"own": digest_bytes(before), "login": after.decode()})
        own.with_name(FOR_AGENTS).chmod(0o600)


def kept_for_agents(own: Path, before: bytes) -> bytes:
    """What an earlier call renewed; nothing once the user has logged in again."""
    record = read_record(own.with_name(FOR_AGENTS)) or {}
    fits = record.get("own") == digest_bytes(before) and isinstance(record.get("login"), str)
    return record["login"].encode() if fits else b""


def is_renewal(before: bytes, after: bytes, now_ms: float) -> bool:
    """Whether this is the same login with other tokens, which hold longer and not for ever."""
    was, now = login_in(before), login_in(after)
    if not was or not now or without_renewal(was) != without_renewal(now) or was[LOGIN].keys() != now[LOGIN].keys():
        return False
    tokens = [now[LOGIN].get(name, "") for name in RENEWED[:2]]
    expiry = amount(now[LOGIN].get("expiresAt")) or 0.0
    are_tokens = all(isinstance(token, str) and len(token) < LARGEST and token.isprintable() for token in tokens)
    return are_tokens and (amount(was[LOGIN].get("expiresAt")) or 0.0) < expiry <= now_ms + LONGEST_MS


def without_renewal(login: Mapping[str, Any]) -> Mapping[str, Any]:
    """Everything that a renewal leaves as it is: account, subscription, scopes, and whatever else is there."""
    parts = login.get(LOGIN, {})
    return {**login, LOGIN: {name: value for name, value in parts.items() if name not in RENEWED}}


def login_in(credentials: bytes) -> dict[str, Any]:
    """The credentials as a mapping; empty if they hold no login."""
    found = decode_or_none(credentials, dict[str, Any]) or {}
    return found if isinstance(found.get(LOGIN), dict) else {}


def plain_content(path: Path, *, is_link_allowed: bool = True) -> bytes:
    """A small regular file; nothing of anything else. A pipe in its place is not waited for."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if is_link_allowed else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except OSError:
        return b""
    try:
        status = os.fstat(handle)
        fits = stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST
        return os.read(handle, LARGEST) if fits else b""
    except OSError:
        return b""
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Whatever an agent has put in this place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)
