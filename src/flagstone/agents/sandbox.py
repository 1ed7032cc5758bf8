"""Decides how an agent is confined to its grant, by what the run asks for and what this machine can do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flagstone.agents.hidden_paths import paths_to_hide
from flagstone.agents.protocol import AgentCall, Mode
from flagstone.errors import FlagstoneError
from flagstone.layout import sealed_folders
from flagstone.processes import Confinement

WHOLE_ABI = 3  # of Landlock: before it, cutting a file short cannot be refused
NEWER_KERNEL = "use Linux 6.2 or newer with Landlock switched on (lsm=landlock,… on the kernel's command line)"
INSTALL = "install bubblewrap (apt-get install bubblewrap), and allow user namespaces to those who are not root"
SWITCH_OFF = 'or set `sandbox: "off"` in run.yaml, at your own risk: the agent can then change every file of yours'


@dataclass(frozen=True)
class Strength:
    """What this machine can hold an agent with: the version of Landlock, and what bubblewrap lacks."""

    landlock_abi: int
    bubblewrap_fault: str

    @property
    def has_bubblewrap(self) -> bool:
        return not self.bubblewrap_fault

    @property
    def keeps_files(self) -> bool:
        """Whether the kernel stops every write outside what the agent may write."""
        # an early Landlock cannot refuse to cut a file short; a read-only mount can
        return self.landlock_abi >= (1 if self.has_bubblewrap else WHOLE_ABI)

    @property
    def keeps_names(self) -> bool:
        """Whether what is held can write to no file of its grant through a second name elsewhere, or a mount."""
        return self.landlock_abi > 0 and self.has_bubblewrap

    @property
    def fault_text(self) -> str:
        """Which mechanism this machine lacks, in words."""
        found = [self.landlock_fault, self.bubblewrap_fault]
        return "; ".join(fault for fault in found if fault)

    @property
    def landlock_fault(self) -> str:
        if not self.landlock_abi:
            return "this kernel has no Landlock"
        if not self.keeps_files:
            return f"this kernel's Landlock (version {self.landlock_abi}) cannot refuse to cut files short"
        return ""


@cache
def strength() -> Strength:
    """What can be used here, tried once in the life of this process."""
    from flagstone.processes.confinement import landlock, machine  # here: the gates' own calls need neither

    return Strength(landlock.abi(), machine.bubblewrap_fault())


def confinement_for(
    call: AgentCall,
    private: tuple[Path, ...],
    *,
    is_program: bool = True,
    here: Strength | None = None,
    environ: Mapping[str, str] | None = None,
) -> Confinement | None:
    """What confines a call (`private`: the driver's own folders); None if it is off, or this machine has nothing.

    FlagstoneError if the machine cannot do what the run asks for. `is_program` is false for a function of ours in
    a forked child, which is no stranger: it is held as far as it can be, and never refused.
    """
    if call.sandbox == "off":
        return None
    here = here or strength()
    refuse_if_too_weak(call, here, is_program)
    use_landlock, use_bubblewrap = here.landlock_abi > 0, here.has_bubblewrap and is_program
    if not use_landlock and not use_bubblewrap:
        return None
    asked = () if call.mode is Mode.JUDGE else call.writable
    writable = (*(checked_grant(path, call) for path in asked), *private)
    if call.mode is Mode.WORK and is_program and not use_bubblewrap and os.path.isdir("/dev/shm"):
        writable = (*writable, Path("/dev/shm").resolve())  # programs that compute in parallel share memory there
    own = (*writable, call.task.run_root)
    hidden = (*call.hidden, *paths_to_hide(os.environ if environ is None else environ, own), *sealed_folders(own))
    return Confinement(writable, hidden, use_landlock=use_landlock, use_bubblewrap=use_bubblewrap)


def refuse_if_too_weak(call: AgentCall, here: Strength, is_program: bool) -> None:
    """Raises FlagstoneError if an agent could do what nobody granted."""
    if call.sandbox == "require" and not (here.keeps_files and here.has_bubblewrap):
        faults = ((here.landlock_fault, NEWER_KERNEL), (here.bubblewrap_fault, INSTALL))
        cures = [cure for fault, cure in faults if fault]
        raise FlagstoneError(
            f"this run requires the whole sandbox (sandbox: require), but {here.fault_text}",
            hint=f"{'; '.join(cures)}; or set `sandbox: auto` in run.yaml; see also: flagstone doctor",
        )
    if call.mode is Mode.WORK and is_program and not here.keeps_files:
        raise FlagstoneError(
            f"stage {call.task.stage} lets an agent run programs, but nothing on this machine can keep them "
            f"inside the run: {here.fault_text}",
            hint=f"{NEWER_KERNEL}; {SWITCH_OFF}",
        )


def checked_grant(path: Path, call: AgentCall) -> Path:
    """A path as it may be granted: it is there, it is no link, and no link on the way leads out of the run."""
    root = Path(os.path.abspath(call.task.run_root))
    given = Path(os.path.abspath(path))
    real, real_root = Path(os.path.realpath(given)), Path(os.path.realpath(root))
    leaves = given.is_relative_to(root) and not real.is_relative_to(real_root)
    if given.is_symlink() or leaves:
        raise FlagstoneError(
            f"{path} is a link, or is behind a link that leaves the run, so no agent may write there",
            hint="replace the link by the file or folder itself, then run it again",
        )
    if not real.exists():
        raise FlagstoneError(f"an agent must write {path}, which does not exist", hint="create it, then run again")
    return real


def mechanisms_of(confinement: Confinement | None) -> str:
    """The mechanisms of a confinement, such as `landlock+bubblewrap`, for records. Returns '' if there is none."""
    if confinement is None:
        return ""
    parts = {"landlock": confinement.use_landlock, "bubblewrap": confinement.use_bubblewrap}
    return "+".join(name for name, used in parts.items() if used)
