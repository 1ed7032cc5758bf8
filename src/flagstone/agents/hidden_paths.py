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
CREDENTIALS = (
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/gcloud",
    ".config/rclone",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".gnupg",
    ".cargo/credentials.toml",
    ".cache/huggingface/token",
)
FIXED = (
    "/run/screen",
    "/run/docker.sock",
    "/run/podman",
    "/run/containerd",
    "/run/crio",
    "/run/dbus",
    "/run/systemd/private",
)


def paths_to_hide(
    environ: Mapping[str, str], kept: Iterable[Path] = (), *, also_credentials: bool = False
) -> tuple[Path, ...]:
    """The sockets and keys to hide from confined code. A folder that holds anything of `kept` stays visible.

    With `also_credentials`, the files that log a person in elsewhere are hidden too.
    """
    real = [os.path.realpath(path) for path in kept]
    home = environ.get("HOME") or "/"
    more = [f"{home}/{name}" for name in CREDENTIALS] if also_credentials else []
    known = dict.fromkeys(map(os.path.realpath, filter(None, (*known_paths(environ), *more))))
    hidden = [path for path in known if os.path.exists(path) and may_be_hidden(path, real)]
    covered = tuple(f"{path}/" for path in hidden)
    others = (path for path in listening_sockets() if may_be_hidden(path, real) and not f"{path}/".startswith(covered))
    return tuple(map(Path, (*hidden, *others)))


def may_be_hidden(path: str, kept: Iterable[str]) -> bool:
    """Whether a path is neither inside nor around anything that must stay visible."""
    return not any(f"{other}/".startswith(f"{path}/") or path.startswith(f"{other}/") for other in kept)


def known_paths(environ: Mapping[str, str]) -> Iterator[str]:
    """Those at well-known paths, or at paths that the environment names."""
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


def listening_sockets() -> Iterator[str]:
    """All other sockets on this machine that we, and so what we start, could connect to."""
    try:
        with open(LISTED, "rb") as stream:
            table = stream.read()
    except OSError:
        return
    latest = time.time() - SETTLED_S
    for name in dict.fromkeys(LISTENING.findall(table)):
        path = os.path.realpath(os.fsdecode(name))
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if status.st_mtime < latest and not NEEDED.search(path) and os.access(path, os.W_OK):
            yield path
