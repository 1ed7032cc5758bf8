"""Who may use which GPU of this machine now, and whether other runs may go on beside one whose time is measured."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.processes import run_quietly

FOLDER = Path("/tmp/flagstone-leases")
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Lease:
    """The devices that are ours; none where nothing was leased, and then the environment stays as it is."""

    names: tuple[str, ...] = ()

    def environment(self) -> Mapping[str, str]:
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.names)} if self.names else {}


def devices() -> tuple[str, ...]:
    """The GPUs that may be leased: as FLAGSTONE_GPUS names them, else those that are visible here."""
    named = os.environ.get("FLAGSTONE_GPUS", os.environ.get("CUDA_VISIBLE_DEVICES"))
    if named is not None:
        return tuple(name for name in named.replace(" ", "").split(",") if name and name != "-1")
    if not Path("/dev/nvidiactl").exists():
        return ()
    code, said, _ = run_quietly(["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"], Path("/"), 30)
    return tuple(said.decode().split()) if code == 0 else ()


@contextmanager
def lease(
    count: int,
    *,
    folder: Path = FOLDER,
    stop: Callable[[], bool] = lambda: False,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[Lease]:
    """So many GPUs, held until the end; the lock dies with the process. Under SLURM they are the scheduler's."""
    if count == 0 or "SLURM_JOB_ID" in os.environ:
        yield Lease()
        return
    names = devices()
    if count > len(names):
        raise FlagstoneError(
            f"a run needs {count} GPUs, and this machine has {len(names)}",
            hint="lower harness.gpus in experiment.yaml, or name the devices: FLAGSTONE_GPUS=0,1",
        )
    locks = [place(folder, f"gpu-{name.replace('/', '_')}.lock") for name in names]
    was_told = False
    while not (held := taken(dict(zip(names, locks, strict=True)), count)):
        if not was_told:
            on_wait(f"waiting for {count} free GPUs of {len(names)}")
            was_told = True
        wait(stop)
    try:
        yield Lease(tuple(held))
    finally:
        for handle in held.values():
            os.close(handle)


def taken(locks: Mapping[str, Path], count: int) -> dict[str, int]:
    """The handles of `count` locks, or none at all: whoever gets only some lets them go."""
    held: dict[str, int] = {}
    for name, path in locks.items():
        handle = opened(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        held[name] = handle
        if len(held) == count:
            return held
    for handle in held.values():
        os.close(handle)
    return {}


@contextmanager
def alone_on_machine(folder: Path = FOLDER, stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """While this is held no other run of Flagstone goes on here: time is what is measured."""
    with locked(place(folder, "timing.lock"), fcntl.LOCK_EX, stop):
        yield


@contextmanager
def beside_others(folder: Path = FOLDER, stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """While this is held a run whose time is measured waits."""
    # whoever waits for the machine holds the turnstile, so that new runs do not keep it waiting for ever
    with locked(place(folder, "turnstile.lock"), fcntl.LOCK_SH, stop):
        pass
    with locked(place(folder, "timing.lock"), fcntl.LOCK_SH, stop):
        yield


@contextmanager
def locked(path: Path, how: int, stop: Callable[[], bool]) -> Iterator[None]:
    handle = opened(path)
    turnstile = opened(path.with_name("turnstile.lock")) if how == fcntl.LOCK_EX else -1
    try:
        while not has_locked(handle, how):
            if turnstile >= 0:
                has_locked(turnstile, fcntl.LOCK_EX)
            wait(stop)
        if turnstile >= 0:
            fcntl.flock(turnstile, fcntl.LOCK_UN)
        yield
    finally:
        os.close(handle)
        if turnstile >= 0:
            os.close(turnstile)


def has_locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait(stop: Callable[[], bool]) -> None:
    if stop():
        raise Interrupted("stopped while waiting for the machine", hint="give the same command again to go on")
    time.sleep(LOOK_EVERY_S)


def place(folder: Path, name: str) -> Path:
    """A lock that every user of the machine shares; the folder is made once, and a link is never followed."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o1777)
        folder.chmod(0o1777)
    if not stat.S_ISDIR(os.lstat(folder).st_mode):
        raise FlagstoneError(f"{folder} is no folder", hint="remove it: leases of GPUs are kept there")
    return folder / name


def opened(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    with suppress(PermissionError):
        os.fchmod(handle, 0o666)
    return handle
