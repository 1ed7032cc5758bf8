"""Beginning an experiment anew: everything it has done so far goes to its history, readable for ever."""

from __future__ import annotations

import os
import time

from flagstone.errors import FlagstoneError
from flagstone.gates.holder import held
from flagstone.loop.home import Home, unused
from flagstone.records import cannot_write, read_record, utc, write_record

KEPT = ("experiment.yaml", "history", "lock", "candidates.git", "origin.json", "parent_ckpt", "chain_decision.json")


def begin_anew(home: Home) -> None:
    """Moves what was done to history/<n>/; the spec and what a parent left stay."""
    if not home.spec.is_file():
        raise FlagstoneError(f"there is no experiment in {home.root}", hint="flagstone experiment new NAME starts one")
    with held(home.lock, f"experiment {home.name}", utc(time.time())):
        number = 1
        while (home.root / "history" / f"{number:03d}").exists():
            number += 1
        if not home.anew.exists():
            write_record(home.anew, {"folder": f"history/{number:03d}"})
        finish_anew(home)


def finish_anew(home: Home) -> None:
    """All of it, also where a kill came in between: no ledger goes on under a contract that it was not begun with."""
    folder = home.root / str((read_record(home.anew) or {}).get("folder", "history/unknown"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(os.listdir(home.root)):
            if name not in (*KEPT, home.anew.name):
                os.rename(home.root / name, unused(folder / name))
        home.anew.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
