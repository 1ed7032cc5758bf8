"""A short name for a long path: the name of a socket must fit into about a hundred bytes, its folder included."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

SHORT = 40  # so long may a folder for temporary files be: Python's own sockets add some fifty characters
PLACE = "/tmp/flagstone-links-{uid}"  # never below a TMPDIR of one's own, which may be as long


def short_path(folder: Path) -> Path:
    """The folder, or a link to it with a short name where its own is long and there is a place for such links."""
    if len(os.fspath(folder)) <= SHORT:
        return folder
    place = Path(PLACE.format(uid=os.getuid()))
    link = place / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    with suppress(OSError):
        if os.readlink(link) == os.fspath(folder) and is_ours(place):
            return link
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        if not is_ours(place):
            return folder
        fresh = link.with_name(f"{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        os.symlink(folder, fresh)
        os.replace(fresh, link)
    except OSError:
        return folder
    return link


def is_ours(place: Path) -> bool:
    """Whether nobody else can turn what is in it: /tmp is everybody's."""
    status = os.lstat(place)
    return status.st_uid == os.getuid() and status.st_mode & 0o170077 == 0o040000
