"""What is started, within which limits, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from flagstone.processes.tree import Survivor

EndCause = Literal["exit", "wall", "silence", "grace", "memory", "gpu_memory"]


@dataclass(frozen=True)
class Command:
    """A program (`argv`) or a Python function (`target`) to run in a child process.

    `stdin` is what it reads, or a file with that.
    `owner` names who it belongs to, so that a restart finds what an earlier life left running.
    `confinement` is what it is held to by the kernel; None leaves it as free as we are.
    `secret` are variables none of whose values may be stored with its output, whatever they are called.
    """

    argv: tuple[str, ...] | None
    target: Callable[[], int] | None
    cwd: Path
    env: Mapping[str, str]
    stdin: bytes | Path = b""
    owner: str = ""
    confinement: Confinement | None = None
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if bool(self.argv) == bool(self.target):
            raise ValueError("a command is either a program or a function")

    @property
    def title(self) -> str:
        """What to call it in a message."""
        return self.argv[0] if self.argv else getattr(self.target, "__name__", "function")


@dataclass(frozen=True)
class ProcessLimits:
    """How long a child may run and be silent, what its whole tree may use, and how much of its output is kept.

    GPU memory is watched where it is limited, or where `watch_gpu` asks for its peak. `may_be_silent` says when silence
    does not count; with `may_wait_for_children` it does not count while processes that the child has started work.
    """

    wall_s: float | None = None
    silence_s: float | None = None
    output_mb: float = 100
    copy_mb: float = 1000
    line_kb: int = 1024
    grace_s: float = 10
    stop_s: float = 5
    memory_mb: float | None = None
    gpu_memory_mb: float | None = None
    watch_gpu: bool = False
    may_be_silent: Callable[[], bool] = lambda: False
    may_wait_for_children: bool = False

    @property
    def watches_gpu(self) -> bool:
        return self.watch_gpu or self.gpu_memory_mb is not None


@dataclass(frozen=True)
class Output:
    """The files a child's output goes to; without `stderr` both streams are one.

    If `stderr` is the same file as `stdout`, they share it and are two streams all the same. `copy` gets every byte of
    stdout, up to `ProcessLimits.copy_mb`.
    """

    stdout: Path
    stderr: Path | None = None
    copy: Path | None = None


@dataclass(frozen=True)
class ProcessResult:
    """How a child ended. `exit_code` is None if a signal ended it.

    A peak counts the child and everything it started; it is None if nothing could be measured. `ended_stragglers` were
    still running after the child had exited, and were ended. Those inside bubblewrap die with it and are not listed.
    """

    exit_code: int | None
    signal: int | None
    ending: EndCause
    wall_s: float
    peak_rss_mb: float | None
    survivors: tuple[Survivor, ...]
    output_bytes: int
    output_truncated: bool
    peak_gpu_mb: float | None = None
    ended_stragglers: tuple[Survivor, ...] = ()
    is_copy_whole: bool = True

    @property
    def timed_out(self) -> bool:
        return self.ending == "wall"

    @property
    def is_silent(self) -> bool:
        return self.ending == "silence"

    @property
    def unclean_pids(self) -> tuple[int, ...]:
        """What could not be ended: nothing may be started beside it."""
        return tuple(survivor.pid for survivor in self.survivors)


@dataclass(frozen=True)
class Confinement:
    """What a command may write, what it may not see, whether it has a network, and who sees to that.

    `visible` are paths below `hidden` that it may read all the same.
    `copies` are private folders, each with the folder of the user in whose place it is seen and may be written.
    Without bubblewrap, which alone can do that, the folder of the user may be written.
    A function that runs in a forked child is held by Landlock alone: bubblewrap can only start programs.
    """

    writable: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    network: bool = True
    copies: tuple[tuple[Path, Path], ...] = ()
    visible: tuple[Path, ...] = ()
    use_landlock: bool = True
    use_bubblewrap: bool = True
