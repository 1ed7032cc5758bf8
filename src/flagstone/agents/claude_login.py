"""The user's login to Claude Code, lent to the private folder of one conversation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flagstone.agents.protocol import amount
from flagstone.agents.room import content_of
from flagstone.records import write_atomic

CREDENTIALS = ".credentials.json"
LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
)


def credentials_of(environ: Mapping[str, str]) -> Path:
    """The file in which the user's own login is kept."""
    folder = environ.get("CLAUDE_CONFIG_DIR") or os.path.join(environ.get("HOME", "/"), ".claude")
    return Path(folder) / CREDENTIALS


def is_logged_in(environ: Mapping[str, str]) -> bool:
    """Whether a call can be paid for: by a key in the environment, or by the user's login."""
    if any(environ.get(name) for name in LOGIN_VARIABLES):
        return True
    try:
        return isinstance(json.loads(credentials_of(environ).read_bytes()), dict)
    except (OSError, ValueError):
        return False


@contextmanager
def login_lent(environ: Mapping[str, str], config: Path) -> Iterator[None]:
    """Lends the user's login to a private settings folder, for one call.

    The CLI may renew the login meanwhile, which makes the old one worthless: a renewed one is given
    back. Nothing of it stays in the run.
    """
    own, lent = credentials_of(environ), config / CREDENTIALS
    before = content_of(own)
    if any(environ.get(name) for name in LOGIN_VARIABLES) or not before:
        yield
        return
    write_atomic(lent, before, mode=0o600)
    try:
        yield
    finally:
        after = content_of(lent)
        lent.unlink(missing_ok=True)
        if is_renewed(before, after) and content_of(own) == before:
            write_atomic(own, after, mode=0o600)


def is_renewed(before: bytes, after: bytes) -> bool:
    return expiry_of(after) > expiry_of(before)


def expiry_of(credentials: bytes) -> float:
    """Until when a login holds; 0 where that cannot be told."""
    try:
        login = json.loads(credentials).get("claudeAiOauth", {})
        return amount(login.get("expiresAt")) or 0.0
    except (ValueError, AttributeError):
        return 0.0
