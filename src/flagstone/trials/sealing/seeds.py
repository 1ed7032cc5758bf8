"""The confirmation seeds: drawn at random, kept where no agent and no other run sees them, and given out by slot."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.locks import hold
from flagstone.plans import TrialFolder, TrialSpec
from flagstone.processes import viewers_of
from flagstone.records import Ledger, cannot_write, digest_value, encode, read_as, sync_folder, utc, write_atomic
from flagstone.trials.lines import DenialLine

BITS = 31
WAIT_S = 0.5


@dataclass(frozen=True)
class SealedSeeds:
    """The seed of each confirmation slot, and the salt of their digests. Neither is shown by `repr`."""

    seeds: Mapping[str, int] = field(repr=False)
    salt: str = field(repr=False)

    @property
    def digest(self) -> str:
        return digest_value([self.salt, dict(self.seeds)])

    def word(self, slot: str) -> str:
        """What stands for one seed in a record until it is revealed."""
        return digest_value([self.salt, slot, self.seeds[slot]])


def seeds_path(folder: TrialFolder) -> Path:
    return folder.sealed / "seeds.json"


def make_sealed(folder: TrialFolder) -> None:
    """Makes the folder that is hidden. It has to be there before anything starts that must not see what comes in."""
    folder.sealed.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(folder.sealed, 0o700)


def wait_for_viewers(folder: TrialFolder, say: Callable[[str], None]) -> None:
    """Returns when nothing that runs can see what is put into the sealed folder.

    A program of this project that was started before the folder was made sees it. All that started since do not.
    """
    make_sealed(folder)
    owners = folder.base.parent if (folder.base / "run.yaml").is_file() else folder.base
    known: list[int] = []
    while viewers := viewers_of(folder.sealed, owners):
        if viewers != known:
            numbers = ", ".join(map(str, viewers[:5]))
            say(f"waiting until processes end that began before this trial and could see its seeds: {numbers}")
        known = viewers
        time.sleep(WAIT_S)


def draw_seeds(screening: Collection[int], count: int) -> SealedSeeds:
    """As many distinct seeds, none of them a screening seed."""
    found: dict[str, int] = {}
    while len(found) < count:
        seed = secrets.randbits(BITS)
        if seed not in screening and seed not in found.values():
            found[f"b{len(found) + 1}"] = seed
    return SealedSeeds(found, secrets.token_hex(32))


def renew_seeds(folder: TrialFolder, spec: TrialSpec) -> SealedSeeds:
    """Draws the seeds of a trial, in place of any that are there: those may be known."""
    make_sealed(folder)
    drawn = draw_seeds(spec.screening, spec.pairs)
    write_atomic(seeds_path(folder), encode(drawn), mode=0o600)
    return drawn


def sealed_seeds(folder: TrialFolder) -> SealedSeeds | None:
    """The seeds of a trial. Returns None if none are drawn, or if they are hidden from this process."""
    return read_as(seeds_path(folder), SealedSeeds)


def seed_for(folder: TrialFolder, spec: TrialSpec, slot: str, step: str) -> int:
    """The seed of a slot, for a run of this step. A confirmation seed is for the step `confirm` alone.

    Anything else that asks for one is refused, and the ledger says so. The caller must not hold the trial's lock.
    """
    if not slot.startswith("b"):
        return spec.seed_of(slot)
    known = sealed_seeds(folder)
    if step != "confirm":
        reason = f"slot {slot} has a seed for the confirmation only, and {step} asked for it"
    elif known is None or slot not in known.seeds or not folder.prereg.exists():
        reason = f"the seed of slot {slot} is not sealed in a pre-registration"
    else:
        return known.seeds[slot]
    with hold(folder.lock, f"trial {folder.name}", wait=True):
        Ledger(folder.ledger).append(DenialLine(asked=slot, reason=reason, at=utc(time.time())))
    if step == "confirm":
        lost = f"{folder.prereg.name} and {folder.sealed.name}/{seeds_path(folder).name}"
        hint = f"restore {lost} in {folder.root} from a copy: seeds that were sealed are never drawn again"
    else:
        hint = "screen on a1 to a5; the confirmation runs by itself when it is due"
    raise FlagstoneError(f"trial {folder.name}: {reason}", hint=hint)


def write_once(path: Path, content: bytes, *, mode: int = 0o644) -> bool:
    """Writes a whole file unless there is one. Returns whether this call wrote it: of two at once, one does."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_atomic(fresh, content, mode=mode)
    try:
        os.link(fresh, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)
    return True
