"""Landlock: a process gives up, for good, the right to write anywhere but to named files and folders.

This file is also run by itself, inside bubblewrap, where every millisecond of a start counts: nothing but the
standard library may be imported here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import struct
import sys
from collections.abc import Iterable
from functools import cache

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
VERSION, PATH_BENEATH = 1, 1
NO_NEW_PRIVILEGES = 38
WRITE_FILE, TRUNCATE, IOCTL_DEVICE = 1 << 1, 1 << 14, 1 << 15
REMOVE, MAKE_DEVICES, MAKE, REFER = 0b11 << 4, 1 << 6 | 1 << 11, 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12, 1 << 13
OF_A_FILE = WRITE_FILE | TRUNCATE | IOCTL_DEVICE
TCP = 0b11
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
TRUNCATE_ABI, NETWORK_ABI, DEVICE_ABI, SCOPE_ABI = 3, 4, 5, 6
WITHOUT_NETWORK = "--without-network"


@cache
def abi() -> int:
    """Which version of Landlock the kernel has; 0 where it has none."""
    try:
        return max(0, int(system_call()(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))
    except AttributeError:
        return 0


def ruleset(writable: Iterable[str], *, network: bool = True) -> int:
    """The handle of a ruleset that lets only these files and folders be written; OSError where there is none."""
    handled = handled_rights(abi())
    net = 0 if network or abi() < NETWORK_ABI else TCP
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if abi() >= SCOPE_ABI else 0
    # an older kernel knows only the first fields
    fields = struct.pack("QQQ", handled, net, scoped)[: 24 if scoped else 16 if abi() >= NETWORK_ABI else 8]
    handle = checked(system_call()(CREATE_RULESET, fields, ctypes.c_size_t(len(fields)), 0), "ruleset")
    os.set_inheritable(handle, False)
    try:
        for path in writable:
            add(handle, path, handled)
    except BaseException:
        os.close(handle)
        raise
    return handle


def handled_rights(version: int) -> int:
    """Every way to change something that this version of Landlock knows of."""
    rights = WRITE_FILE | REMOVE | MAKE_DEVICES | MAKE
    rights |= REFER if version >= 2 else 0
    rights |= TRUNCATE if version >= TRUNCATE_ABI else 0
    return rights | (IOCTL_DEVICE if version >= DEVICE_ABI else 0)


def add(handle: int, path: str, handled: int) -> None:
    """Grants one file or folder. A link is refused: what it leads to was not what was granted."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        kind = os.fstat(place).st_mode
        if stat.S_ISLNK(kind):
            raise OSError(40, "a link cannot be granted", path)
        # devices are never made: as root, a new one would be the disk itself
        rights = handled & ~MAKE_DEVICES if stat.S_ISDIR(kind) else handled & OF_A_FILE
        rule = struct.pack("=Qi", rights, place)
        checked(system_call()(ADD_RULE, handle, PATH_BENEATH, rule, 0), path)
    finally:
        os.close(place)


def restrict(handle: int) -> None:
    """Holds this process, and whatever it starts, to a ruleset from now on."""
    library().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    checked(system_call()(RESTRICT_SELF, handle, 0), "this process")


def checked(answer: int, about: str) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}", about)
    return answer


@cache
def library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def system_call() -> ctypes._NamedFuncPointer:
    call = library().syscall
    call.restype = ctypes.c_long
    return call


def main(words: list[str]) -> int:
    """Restricts itself to the files and folders before `--`, and becomes the program after it."""
    end = words.index("--")
    writable, argv = words[:end], words[end + 1 :]
    try:
        network = WITHOUT_NETWORK not in writable
        restrict(ruleset((path for path in writable if path != WITHOUT_NETWORK), network=network))
        # ignored until here, so that a request to stop is heard by the program, not by the wrapper around it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"cannot start {argv[0]}: {error.strerror}: {error.filename}\n")
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
