"""What a command may write, see and reach, and how it is held to that before its first instruction."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from flagstone.processes.command import Command, Confinement

PLAIN_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
ACCELERATORS = ("/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/infiniband")
CONTROL = "FLAGSTONE_"
CLOSE_RANGE, CLOSE_ON_EXEC = 436, 1 << 2  # the same on every architecture
# these lead to daemons of the user, which the sandbox hides
DAEMON_VARIABLES = (
    *("TMUX", "TMUX_PANE", "TMUX_TMPDIR", "STY", "SCREENDIR", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "DOCKER_HOST", "CONTAINER_HOST"),
    *("VSCODE_IPC_HOOK_CLI", "NVIM", "KITTY_LISTEN_ON", "WEZTERM_UNIX_SOCKET", "ALACRITTY_SOCKET"),
)
# whoever sets these has code of theirs run in every program that starts: not before the sandbox holds
STEERING = ("LD_", "PERL", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH")


@cache
def accelerators() -> tuple[str, ...]:
    """The devices programs compute on, as far as this machine has any."""
    import glob  # here, not above: most commands are not confined

    return tuple(sorted(path for pattern in ACCELERATORS for path in glob.glob(pattern)))


def writable_paths(confinement: Confinement) -> tuple[str, ...]:
    """The paths that Landlock allows to be written: the grant, and devices that store nothing. Never all of /dev."""
    devices = (*PLAIN_DEVICES, *accelerators())
    there = tuple(device for device in devices if os.path.exists(device))
    copies = [folders[0 if confinement.use_bubblewrap else 1] for folders in confinement.copies]
    return (*(str(real_path(path)) for path in (*confinement.writable, *copies)), *there)


def real_path(path: Path) -> Path:
    """A granted path without links. If it is a link itself it is refused: its maker would choose what is granted."""
    real = Path(os.path.realpath(path.absolute().parent)) / path.name
    if real.is_symlink():
        raise OSError(errno.ELOOP, "a link cannot be granted", str(path))
    return real


def is_in_bubblewrap(command: Command) -> bool:
    return command.confinement is not None and command.confinement.use_bubblewrap and bool(command.argv)


def wrapped_argv(command: Command, ruleset: int | None, started: int | None) -> tuple[str, ...]:
    """The command line with everything around it that bubblewrap, and Landlock within it, need."""
    argv, confinement = command.argv or (), command.confinement
    if confinement is None or not is_in_bubblewrap(command):
        return argv
    from flagstone.processes.confinement import bubblewrap, landlock

    view = bubblewrap.SandboxView(
        cwd=command.cwd.absolute(),
        writable=tuple(real_path(path) for path in confinement.writable),
        hidden=confinement.hidden,
        visible=confinement.visible,
        copies=confinement.copies,
        devices=accelerators(),
        network=confinement.network,
        started=started,
    )
    inside = () if ruleset is None else landlock.start_inside(ruleset, tool_path("perl"))
    steering = tuple(f"{name}={value}" for name, value in command.env.items() if name.startswith(STEERING))
    handed_on = (tool_path("env") or "/usr/bin/env", *steering) if steering else ()
    return (*bubblewrap.prefix(view), *inside, *handed_on, *argv)


@cache
def tool_path(name: str) -> str | None:
    import shutil

    return shutil.which(name)


def needed_ruleset(command: Command) -> int | None:
    """The ruleset a child has to be held to: by us, or, where bubblewrap has to mount first, within it."""
    confinement = command.confinement
    if confinement is None or not confinement.use_landlock:
        return None
    from flagstone.processes.confinement import landlock

    return landlock.ruleset(writable_paths(confinement), network=confinement.network)


def confined_environment(command: Command) -> Mapping[str, str]:
    """The environment without what our processes are found by, what leads out, and what steers the sandbox itself."""
    confinement = command.confinement
    if confinement is None:
        return command.env
    kept_out = (CONTROL, *(STEERING if confinement.use_bubblewrap and command.argv else ()))
    kept = (name for name in command.env if name not in DAEMON_VARIABLES and not name.startswith(kept_out))
    return {name: command.env[name] for name in kept}


@cache
def range_closer() -> Callable[[], int]:
    """A call that marks every file handle above the standard streams to be closed by the next exec.

    It returns 0 if it succeeded.
    """
    import ctypes  # here, not above: most commands start nothing

    call, all_of_them = ctypes.CDLL(None).syscall, ctypes.c_uint(0xFFFFFFFF)
    return lambda: int(call(CLOSE_RANGE, ctypes.c_uint(3), all_of_them, CLOSE_ON_EXEC))


def close_handles_on_exec() -> None:
    """Keeps from a program what a shell left open to us: a file that is open for writing passes any sandbox."""
    if range_closer()() == 0:
        return
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that the listing itself went through
            os.set_inheritable(int(name), int(name) < 3)


def blank_handles() -> None:
    """Replaces every handle but the standard streams by /dev/null: open files pass any sandbox."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):
        # the number stays taken: an object that closes it later must not close another one's
        if int(name) > 2 and int(name) != nothing and os.path.lexists(f"/proc/self/fd/{name}"):
            os.dup2(nothing, int(name))
