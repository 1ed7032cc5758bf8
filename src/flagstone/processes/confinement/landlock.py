"""Landlock: a process gives up, for good, the right to write anywhere but to named files and folders.

This file is also run by itself, inside bubblewrap: nothing but the standard library may be imported here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable
from functools import cache

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
VERSION, PATH_BENEATH = 1, 1
NO_NEW_PRIVILEGES = 38
CAPABILITIES_VERSION, KEPT_RIGHT = 0x20080522, 1 << 1
WRITE_FILE, TRUNCATE, IOCTL_DEVICE = 1 << 1, 1 << 14, 1 << 15
REMOVE, MAKE_DEVICES, MAKE, REFER = 0b11 << 4, 1 << 6 | 1 << 11, 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12, 1 << 13
OF_A_FILE = WRITE_FILE | TRUNCATE | IOCTL_DEVICE
TCP = 0b11
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
TRUNCATE_ABI, NETWORK_ABI, DEVICE_ABI, SCOPE_ABI = 3, 4, 5, 6
# what is nobody else's inside bubblewrap, and not there before it has begun
OWN_FOLDERS = ("/dev/shm", "/dev/pts")
# the same as `main` below, in a tenth of the time that Python takes to start
IN_PERL = """
my ($rules, $rights) = map { $_ + 0 } splice @ARGV, 0, 2;
for my $folder (qw(/dev/shm /dev/pts)) {
    sysopen(my $place, $folder, 0) or next;
    syscall(445, $rules, 1, pack("Ql", $rights, fileno $place), 0) == 0 or die "Landlock: $folder: $!\\n";
}
syscall(446, $rules, 0) == 0 or die "Landlock: $!\\n";
open(my $done, "<&=", $rules) and close $done;
exec { $ARGV[0] } @ARGV or print STDERR "cannot start $ARGV[0]: $!\\n";
exit 127;
"""


@cache
def abi() -> int:
    """Which version of Landlock the kernel has; 0 where it has none."""
    try:
        return max(0, int(system_call()(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))
    except AttributeError:
        return 0


def ruleset(writable: Iterable[str], *, network: bool = True) -> int:
    """The handle of a ruleset that lets only these files and folders be written; OSError if it cannot be made."""
    handled = handled_rights(abi())
    net = 0 if network or abi() < NETWORK_ABI else TCP
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if abi() >= SCOPE_ABI else 0
    # an older kernel knows only the first fields
    fields = struct.pack("QQQ", handled, net, scoped)[: 24 if scoped else 16 if abi() >= NETWORK_ABI else 8]
    handle = require_success(system_call()(CREATE_RULESET, fields, ctypes.c_size_t(len(fields)), 0), "ruleset")
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
    """Grants one file or folder. Refuses a link, because nobody granted what it leads to."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        kind = os.fstat(place).st_mode
        if stat.S_ISLNK(kind):
            raise OSError(errno.ELOOP, "a link cannot be granted", path)
        rights = rights_in_a_folder(handled) if stat.S_ISDIR(kind) else handled & OF_A_FILE
        rule = struct.pack("=Qi", rights, place)
        require_success(system_call()(ADD_RULE, handle, PATH_BENEATH, rule, 0), path)
    finally:
        os.close(place)


def rights_in_a_folder(handled: int) -> int:
    """All rights except making devices: root could make one that is the disk itself."""
    return handled & ~MAKE_DEVICES


def restrict(handle: int) -> None:
    """Holds this process, and whatever it starts, to a ruleset from now on."""
    library().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    give_up_rights_of_root()
    require_success(system_call()(RESTRICT_SELF, handle, 0), "this process")


def give_up_rights_of_root() -> None:
    """As root there are ways around any rule, kernel modules for one; without new privileges they stay given up."""
    header = struct.pack("Ii", CAPABILITIES_VERSION, 0)
    own = ctypes.create_string_buffer(24)
    if library().capget(header, own) != 0:
        return
    # to write into a folder of another owner's is all that root is still for
    kept = [rights & (KEPT_RIGHT if number < 3 else 0) for number, rights in enumerate(struct.unpack("6I", own))]
    require_success(library().capset(header, struct.pack("6I", *kept)), "the rights of root")


def require_success(answer: int, about: str) -> int:
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


def start_inside(handle: int, perl: str | None) -> tuple[str, ...]:
    """The words before a program's own that hold it to a ruleset which it was handed from outside."""
    rights = str(rights_in_a_folder(handled_rights(abi())))
    # -I -S: nothing from a folder or an environment of ours can get in before the rule holds
    launcher = (perl, "-e", IN_PERL, "--") if perl else (sys.executable, "-I", "-S", __file__)
    return (*launcher, str(handle), rights)


def main(words: list[str]) -> int:
    """Adds what bubblewrap has made to the ruleset, is held to it, and becomes the program."""
    handle, argv = int(words[0]), words[2:]
    try:
        for folder in filter(os.path.isdir, OWN_FOLDERS):
            add(handle, folder, int(words[1]))
        restrict(handle)
        os.close(handle)
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"cannot start {argv[0]}: {error.strerror}: {error.filename}\n")
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
