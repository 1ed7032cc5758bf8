"""Beginning an experiment anew: everything it has done so far goes to its history, readable for ever."""

from __future__ import annotations

import os
import time

from flagstone.errors import FlagstoneError
from flagstone.gates.holder import held
from flagstone.loop.home import Home
from flagstone.records import cannot_write, utc

KEPT = ("experiment.yaml", "history", "lock", "candidates.git", "origin.json", "parent_ckpt", "chain_decision.json")


def begin_anew(home: Home) -> None:
    """Moves what was done to history/<n>/; the spec and what a parent left stay."""
    if not home.spec.is_file():
        raise FlagstoneError(f"there is no experiment in {home.root}", hint="flagstone experiment new NAME starts one")
    with held(home.lock, f"experiment {home.name}", utc(time.time())):
        number = 1
        while (home.root / "history" / f"{number:03d}").exists():
            number += 1
        folder = home.root / "history" / f"{number:03d}"
        try:
            folder.mkdir(parents=True)
            # the ledger last: until it has moved, the experiment is still the old one
            for name in sorted(os.listdir(home.root), key=lambda each: each == "ledger.jsonl"):
                if name not in KEPT:
                    os.rename(home.root / name, folder / name)
        except OSError as error:
            raise cannot_write(folder, error) from error
