"""Sockets and keys by which other processes can be asked to do what the sandbox forbids."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LISTED = "/proc/net/unix"
# number, references, protocol, flags, type, state, inode, path: those that wait for a call, or for letters
LISTENING = re.compile(rb"^\w+: \w+ \w+ (?:00010000 \w+|\w+ 0002) \w+ +\d+ (/.+)$", re.MULTILINE)
# one that vanishes while bubblewrap covers it would fail the call: programs at work make and remove some all the time
SETTLED_S = 10.0
# names of users and machines are looked up through these, and GPUs are reached
NEEDED = re.compile(r"/run/(nscd|nslcd|systemd/(resolve|userdb))/|/var/lib/sss/|nvidia")
FIXED = (
    "/run/screen",
    "/run/docker.sock",
    "/run/podman",
    "/run/containerd",
    "/run/crio",
    "/run/dbus",
    "/run/systemd/private",
)


def doors(environ: Mapping[str, str], kept: Iterable[Path] = ()) -> tuple[Path, ...]:
    """What is to be hidden from confined code; a folder that holds anything of `kept` stays open."""
    real = [os.path.realpath(path) for path in kept]
    hidden: dict[str, None] = {}
    for path in (*map(os.path.realpath, filter(None, named(environ))), *listening()):
        holds_kept = any(f"{place}/".startswith(f"{path}/") for place in real)
        is_granted = any(path.startswith(f"{place}/") for place in real)
        if not (holds_kept or is_granted or is_below(path, hidden)) and os.path.exists(path):
            hidden[path] = None
    return tuple(map(Path, hidden))


def named(environ: Mapping[str, str]) -> Iterator[str]:
    """Those with a place that everybody knows, or that the environment tells."""
    uid = os.getuid()
    yield environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    yield from FIXED
    yield f"{environ.get('HOME', '/')}/.ssh"
    yield f"/tmp/tmux-{uid}"
    yield f"{environ.get('TMUX_TMPDIR') or '/tmp'}/tmux-{uid}"
    yield environ.get("SCREENDIR", "")
    yield environ.get("TMUX", "").partition(",")[0]
    yield environ.get("SSH_AUTH_SOCK", "")
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST"):
        yield from re.findall(r"(?:path=|unix://)(/[^,;]+)", environ.get(name, ""))


def listening(now_s: float | None = None) -> Iterator[str]:
    """Every other socket on this machine that we could call, and so could what we start."""
    try:
        with open(LISTED, "rb") as stream:
            table = stream.read()
    except OSError:
        return
    latest = (time.time() if now_s is None else now_s) - SETTLED_S
    for name in dict.fromkeys(LISTENING.findall(table)):
        path = os.path.realpath(os.fsdecode(name))
        try:
            is_settled = os.lstat(path).st_mtime < latest
        except OSError:
            continue
        if is_settled and not NEEDED.search(path) and os.access(path, os.W_OK):
            yield path


def is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
