"""Which session of Claude Code drives an experiment, written where a hook finds it without starting Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import state_folder
from flagstone.plans import Home
from flagstone.records import content_of, keep, read_as, write_record

SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")


@dataclass(frozen=True)
class Drive:
    """A session that drives an experiment. `chain` is how many further ones it may begin after this one."""

    session: str
    began_at: str
    chain: int = 0


def session_file(session: str) -> Path:
    """What the hooks look for: our program, then the folders of the experiment and of its owner, one a line."""
    if not SESSION_ID.match(session):
        raise FlagstoneError(
            f"{session[:80]!r} is not the id of a session", hint="give the id that Claude Code shows: --session ID"
        )
    return state_folder() / "sessions" / session


def bind(home: Home, drive: Drive, program: str) -> None:
    """Has a session drive this experiment, and no other."""
    path, before = session_file(drive.session), driven_home(drive.session)
    if before and before.root != home.root:
        before.drive.unlink(missing_ok=True)
    write_record(home.drive, vars(drive))
    keep(path, f"{program}\n{home.root}\n{home.base}\n".encode())


def release(home: Home) -> Drive | None:
    """Ends the drive of an experiment. Returns it, or None if no session drives it."""
    drive = read_as(home.drive, Drive)
    if drive:
        session_file(drive.session).unlink(missing_ok=True)
    home.drive.unlink(missing_ok=True)
    return drive


def driven_home(session: str) -> Home | None:
    """The experiment that a session drives. Returns None if there is none, or another session drives it by now."""
    lines = (content_of(session_file(session)) or b"").decode("utf-8", "replace").splitlines()
    if len(lines) != 3:
        return None
    home = Home(Path(lines[1]), Path(lines[2]))
    drive = read_as(home.drive, Drive)
    return home if drive and drive.session == session else None
