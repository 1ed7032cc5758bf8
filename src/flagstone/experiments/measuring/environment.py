"""What a run finds around it: its environment, and what it is held to by the kernel."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.agents import paths_to_hide, strength
from flagstone.errors import FlagstoneError
from flagstone.experiments.measuring.measurement import Order
from flagstone.plans import HarnessSpec, Spec
from flagstone.processes import Confinement, ProcessLimits, gpu_memory_fault

# keys and settings of agents: what an agent has written is run without them
AGENTS_OWN = ("ANTHROPIC_", "CLAUDE_", "OPENAI_", "GEMINI_", "GOOGLE_API_KEY", "FLAGSTONE_")
CACHES = {
    "XDG_CACHE_HOME": "cache",
    "MPLCONFIGDIR": "matplotlib",
    "TRITON_CACHE_DIR": "triton",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "NUMBA_CACHE_DIR": "numba",
}


def inherited_variables() -> dict[str, str]:
    """Our own environment without what is meant for agents."""
    return {name: value for name, value in os.environ.items() if not name.startswith(AGENTS_OWN)}


@dataclass(frozen=True)
class Surroundings:
    """What the runs of an experiment find around them. `inherited` is read once: it does not change while we run."""

    spec: Spec
    inherited: Mapping[str, str] = field(default_factory=inherited_variables)

    def variables(self, order: Order, folder: Path, private: Path) -> dict[str, str]:
        """The seed and folders of a run, and caches of its own, so that no run reaches another through them."""
        seed = str(order.seed)
        own = {
            **{name: str(private / below) for name, below in CACHES.items()},
            "AR_RUN_ID": order.run.root.name,
            "AR_RUN_DIR": str(folder),
            "AR_SEED": seed,
            "SEED": seed,
            "TMPDIR": str(short_path(private)),
            "PYTHONHASHSEED": str(order.seed % 2**32),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            # the folder is below the user's repository: git must not find that one from here
            "GIT_CEILING_DIRECTORIES": str(folder.parent),
            "WANDB_MODE": self.inherited.get("WANDB_MODE", "offline"),
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), self.inherited.get("PATH", "")]),
        }
        asked = {name: fill(value, {"seed": seed}) for name, value in self.spec.harness.env.items()}
        return {**self.inherited, **own, **asked}


def limits_of(asked: HarnessSpec) -> ProcessLimits:
    return ProcessLimits(
        wall_s=asked.seconds,
        silence_s=asked.silence_s,
        memory_mb=asked.memory_mb,
        gpu_memory_mb=asked.gpu_memory_mb,
        watch_gpu=asked.gpus > 0,
    )


def confinement(spec: Spec, writable: tuple[Path, ...]) -> Confinement | None:
    """Lets a run write to its own folders only; None if that is switched off, or this machine has no way to do it."""
    if spec.sandbox == "off":
        return None
    here = strength()
    if spec.sandbox == "require" and not (here.keeps_files and here.has_bubblewrap):
        raise FlagstoneError(
            f"this experiment requires the whole sandbox (sandbox: require), and {here.missing}",
            hint="flagstone doctor shows what is here; or set `sandbox: auto` in experiment.yaml, or run.yaml",
        )
    if not here.landlock_abi and not here.has_bubblewrap:
        return None
    named = (Path(os.path.expanduser(path)) for path in spec.harness.writable)
    further = tuple(path for path in named if path.is_dir())
    shared = (Path("/dev/shm"),) if os.path.isdir("/dev/shm") and not here.has_bubblewrap else ()
    return Confinement(
        (*writable, *further, *shared),
        hidden=paths_to_hide(os.environ, (*writable, *further)),
        network=spec.harness.network,
        use_landlock=here.landlock_abi > 0,
        use_bubblewrap=here.has_bubblewrap,
    )


def fill(word: str, values: Mapping[str, str]) -> str:
    """Replaces each known `{name}`; other braces are the command's own."""
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


NAME = "peak_vram_mb"


def refuse_if_unmeasured(spec: Spec) -> None:
    """A limit would not hold, and a constraint could never be met: better said before anything is run."""
    if not spec.harness.gpus:
        return
    asked = ["harness.gpu_memory_mb"] if spec.harness.gpu_memory_mb else []
    asked += [f"the constraint on {NAME}"] if any(each.name == NAME for each in spec.constraints) else []
    asked += [f"the metric {NAME}"] if spec.metric.name == NAME else []
    fault = gpu_memory_fault() if asked else ""
    if fault:
        raise FlagstoneError(
            f"experiment {spec.name} rests on GPU memory ({', '.join(asked)}), which cannot be measured: {fault}",
            hint="flagstone doctor shows what is here; install it, or take that out of experiment.yaml",
        )


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
