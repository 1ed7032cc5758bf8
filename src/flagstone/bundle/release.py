"""Flagstone's own part of the stage that prepares the release: readiness, and a bundle that holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.bundle.packing import Packing, pack_bundle, refuse_leaks
from flagstone.bundle.readiness import write_readiness
from flagstone.bundle.verification import VerifyOptions, verify_bundle
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, listed_paths, offer_of
from flagstone.stages import Stage
from flagstone.text import count_text

READINESS_RULE = "readiness-checklist"
BUNDLE_RULE = "bundle"


def begin_release(opened: RunConfig, stage: Stage) -> None:
    """Refuses what the agent of this stage cannot correct before it is asked: approved files that must not leave."""
    packing = Packing(opened)
    for _ in packing.files():
        pass
    offers = (offer_of(opened.run, up) for up in opened.table.ancestors(stage.nr))
    approved = {path for offer in offers if offer for path in listed_paths(offer)}
    refuse_leaks([leak for leak in packing.leaks if leak.path in approved])
    write_readiness(opened, stage)


def release_checks(opened: RunConfig, stage: Stage) -> Iterator[RuleCheck]:
    """The computed readiness, and whether a bundle can be packed and holds."""
    yield passed_check(READINESS_RULE, write_readiness(opened, stage).words)
    with TemporaryDirectory(prefix="flagstone-bundle-") as folder:
        yield bundle_check(opened, stage, Path(folder) / f"{opened.run.name}.zip")


def bundle_check(opened: RunConfig, stage: Stage, target: Path) -> RuleCheck:
    try:
        made = pack_bundle(opened, target)
        lines = list(verify_bundle(made.path, VerifyOptions(building=stage.nr)))
    except FlagstoneError as error:
        return failed_check(BUNDLE_RULE, f"{error.problem}; {error.hint}")
    if wrong := [f"{line.name}: {line.text}" for line in lines if line.held is False]:
        return failed_check(BUNDLE_RULE, f"the bundle would not hold: {'; '.join(wrong)}")
    held = [line.name for line in lines if line.held]
    return passed_check(BUNDLE_RULE, f"{count_text(made.files, 'file')}, {made.size} bytes; held: {', '.join(held)}")
