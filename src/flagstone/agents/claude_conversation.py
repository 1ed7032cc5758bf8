"""The private folder of one conversation: its lock, its settings, its cost so far, a borrowed login."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flagstone.agents.protocol import AgentCall, amount, whole
from flagstone.processes import Survivor, end_orphans, still_alive
from flagstone.processes.redaction import Redactor
from flagstone.records import cannot_write, read_record, write_atomic, write_record

CREDENTIALS = ".credentials.json"
LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
)


@dataclass(frozen=True)
class Room:
    """Where one conversation keeps what no other may see or change."""

    root: Path

    @classmethod
    def of(cls, call: AgentCall) -> Room:
        """The room of a call's conversation, made if need be."""
        room = cls(call.record_dir.absolute().parent / f"conversation-{call.conversation.session_id}")
        try:
            for folder in (room.root, room.config, room.temporary):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(room.root, error) from error
        return room

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def state(self) -> Path:
        return self.root / "conversation.json"

    @property
    def owner(self) -> str:
        """The name its processes carry: the same conversation of another run is another one."""
        return str(self.root)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """True while nobody else uses the conversation: of two resumes at once, one would be lost."""
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)

    @contextmanager
    def kept_clean(self, redactor: Redactor) -> Iterator[None]:
        """Takes secrets out of what the CLI itself has written down, once it has ended."""
        try:
            yield
        finally:
            for folder, _, names in os.walk(self.root):
                for path in (Path(folder, name) for name in names):
                    if path.is_file() and not path.is_symlink():
                        clean_file(path, redactor)

    def cost_so_far_usd(self) -> float:
        """What the conversation had cost when its last result came."""
        return amount((read_record(self.state) or {}).get("total_cost_usd")) or 0.0

    def note(self, total_cost_usd: float, survivors: tuple[Survivor, ...]) -> None:
        """Remembers the total and what could not be ended, for the next call."""
        left = [[survivor.pid, survivor.started_ticks] for survivor in survivors]
        write_record(self.state, {"total_cost_usd": total_cost_usd, "survivors": left})

    def still_running(self) -> tuple[Survivor, ...]:
        """Ends what an earlier call left running and returns what could not be ended."""
        known = (read_record(self.state) or {}).get("survivors")
        noted = [Survivor(whole(pid) or 0, whole(ticks) or 0) for pid, ticks in known] if known else []
        return tuple(dict.fromkeys((*end_orphans(self.owner), *still_alive(noted))))


def clean_file(path: Path, redactor: Redactor) -> None:
    content = content_of(path)
    clean = redactor.clean(content)
    if clean != content:
        write_atomic(path, clean, mode=0o600)


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


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
