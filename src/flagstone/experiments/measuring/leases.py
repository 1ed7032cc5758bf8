"""Who may use which GPU of this machine now, and whether other runs may go on beside one whose time is measured."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.locks import LockFolder, Waiting, lock_folder, machine_folder
from flagstone.processes import gpu_ids

NOT_A_GPU = ("-1", "NoDevFiles", "")
TIMING, TURNSTILE = "timing", "timing-turnstile"


@dataclass(frozen=True)
class Lease:
    """The variables that show a run its GPUs. Empty if none were leased: the environment then stays as it is."""

    names: tuple[str, ...] = ()

    def environment(self) -> Mapping[str, str]:
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.names)} if self.names else {}


def devices() -> tuple[str, ...]:
    """The GPUs that may be leased: those that FLAGSTONE_GPUS names, or all, as far as they are visible to us."""
    present = gpu_ids()
    named, visible = (named_in(os.environ.get(name)) for name in ("FLAGSTONE_GPUS", "CUDA_VISIBLE_DEVICES"))
    if named is None and visible is None:
        return present
    if named is None or visible is None:
        # as they were written: whoever wrote numbers may mean another order than ours
        chosen = named if visible is None else tuple(name for name in visible if is_there(name, present))
    else:
        allowed = {unique_name(name, present) for name in visible}
        chosen = tuple(name for name in named if unique_name(name, present) in allowed)
    return tuple({unique_name(name, present): name for name in reversed(chosen or ())}.values())[::-1]


def given_by_scheduler() -> tuple[str, ...]:
    """The GPUs of this job, as the scheduler names them; empty if it names none."""
    return named_in(os.environ.get("CUDA_VISIBLE_DEVICES")) or ()


def named_in(words: str | None) -> tuple[str, ...] | None:
    """The devices of a list; CUDA stops at the first word that is none."""
    if words is None:
        return None
    return tuple(takewhile(lambda name: name not in NOT_A_GPU, (word.strip() for word in words.split(","))))


def is_there(name: str, present: tuple[str, ...]) -> bool:
    return int(name) < len(present) if name.isdigit() else bool(present)


def unique_name(name: str, present: tuple[str, ...]) -> str:
    """One name for one GPU, however it was written: a number, or the beginning of its unique name."""
    if name.isdigit() and int(name) < len(present):
        return present[int(name)]
    alike = [each for each in present if each.startswith(name)] if not name.isdigit() else []
    return alike[0] if len(alike) == 1 else name


@contextmanager
def lease(
    count: int,
    *,
    folder: Path | None = None,
    wait: bool = True,
    on_wait: Callable[[str], object] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Lease]:
    """So many GPUs, ours until the end; the locks die with this process. Under SLURM only those of this job are shared.

    Whoever came first is served first, however many it needs. Who needs `hold_machine` too takes that first, always:
    in two orders two runs could wait for each other.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    names = given_by_scheduler() if job else devices()
    if count == 0 or (job and not names):
        yield Lease()
        return
    if count > len(names):
        raise FlagstoneError(
            f"a run needs {count} GPUs, but this {'job' if job else 'machine'} has {len(names)}",
            hint="lower harness.gpus in experiment.yaml, or name the devices: FLAGSTONE_GPUS=0,1",
        )
    # each job counts its GPUs from 0, so that another one's locks would say nothing of ours
    whole = folder or machine_folder()
    with lock_folder(whole.with_name(f"{whole.name}-job-{job}") if job else whole) as locks:
        waiting = Waiting(on_wait, stop, is_patient=wait)
        yield Lease(gather_gpus(locks, count, names, waiting))


def gather_gpus(locks: LockFolder, count: int, names: tuple[str, ...], waiting: Waiting) -> tuple[str, ...]:
    """Takes GPUs as they become free; only one at a time gathers, so that no two ever wait for each other."""
    present = gpu_ids()
    files = {name: lock_name(unique_name(name, present)) for name in names}
    ours: list[str] = []
    with locks.turn() as is_our_turn:

        def attempt() -> bool | None:
            if not is_our_turn():
                return None
            for name in names:
                if len(ours) < count and name not in ours and locks.take(files[name]):
                    ours.append(name)
            return len(ours) == count or None

        waiting.until(attempt, lambda: waiting_for(locks, count, files))
    return tuple(name for name in names if name in ours)


def waiting_for(locks: LockFolder, count: int, files: Mapping[str, str]) -> str:
    holders = locks.holders()
    busy = sorted({holders[file] for file in files.values() if file in holders} - {os.getpid()})
    by = f", in use by {', '.join(map(str, busy))}" if busy else ""
    return f"waiting for {count} of {len(files)} GPUs{by}"


def lock_name(gpu: str) -> str:
    return "gpu-" + re.sub(r"[^A-Za-z0-9._-]", "_", gpu)


@contextmanager
def hold_machine(
    *,
    is_alone: bool,
    folder: Path | None = None,
    on_wait: Callable[[str], object] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[None]:
    """Holds the machine for a run: alone if its time is measured, otherwise beside all others that are not alone.

    Whoever waits holds the turnstile, so that those who come later do not keep it waiting for ever.
    """
    reason = "waiting for other runs" if is_alone else "waiting for a run whose time is measured"
    with lock_folder(folder or machine_folder()) as locks:
        Waiting(on_wait, stop).until(
            lambda: (locks.take(TURNSTILE) and locks.take(TIMING, is_shared=not is_alone)) or None, lambda: reason
        )
        locks.release(TURNSTILE)
        yield
