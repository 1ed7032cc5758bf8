"""What must hold before a campaign begins: one plan that can be run, and a short run of the project that works."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flagstone.artifacts import RuleCheck
from flagstone.artifacts.rules import failed_check, passed_check
from flagstone.errors import FlagstoneError
from flagstone.experiments.measuring import confinement, inherited_variables, tail_text
from flagstone.layout import Run
from flagstone.plans import TrialSpec, place_of, trial_plans
from flagstone.processes import Command, Output, ProcessLimits, StartError, run as run_command
from flagstone.records import read_record
from flagstone.text import one_line
from flagstone.trials.campaign.project import COPY, SETUP
from flagstone.trials.planning import load_trial, refuse_if_hopeless

PLAN, SMOKE = "setup-plan", "setup-smoke"
SMOKE_S = 900.0
TAIL = 600


def checks_of_setup(run: Run, schemas: Path) -> Iterator[RuleCheck]:
    """One row for the plan, and one for the smoke test if there is a plan to run it with."""
    try:
        spec = planned_spec(run, schemas)
    except FlagstoneError as error:
        yield failed_check(PLAN, f"{error.problem}: {error.hint}")
        return
    yield passed_check(PLAN, f"the trial {spec.name} can be run as it is planned")
    yield smoke_check(run, spec)


def planned_spec(run: Run, schemas: Path) -> TrialSpec:
    """The one trial of a campaign. Raises an error that says what is wrong with its plan."""
    plans = trial_plans(run)
    if len(plans) != 1:
        raise FlagstoneError(
            f"workspace/trials holds {len(plans)} plans", hint="leave exactly one plan of the form of a trial there"
        )
    spec = load_trial(plans[0].path, run.root, schemas)
    root = spec.experiment.subject.root
    if spec.arms:
        raise FlagstoneError("the plan names a switch or arms", hint="leave them out: the campaign has its own ideas")
    if not root.is_dir() or not root.is_relative_to(run.root):
        raise FlagstoneError(f"subject.root leads to {root}", hint=f"let it be {COPY}")
    refuse_if_hopeless(spec, None, where=place_of(plans[0].path, plans[0].text, "underpowered"))
    return spec


def smoke_check(run: Run, spec: TrialSpec) -> RuleCheck:
    """Runs the short command in a copy of the project that is thrown away, held as every run is."""
    argv = (read_record(run.root / SETUP) or {}).get("smoke")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        return failed_check(SMOKE, f"give `smoke` in {SETUP} as a list of words: a command of at most 50 steps")
    with TemporaryDirectory(prefix="smoke-", dir=run.drafts("01")) as folder:
        place, private = Path(folder) / "project", Path(folder) / "tmp"
        shutil.copytree(spec.experiment.subject.root, place, symlinks=True)
        relink(spec.experiment.subject.root, place)
        private.mkdir()
        log = Path(folder) / "smoke.log"
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
        command = Command(
            argv=tuple(argv),
            target=None,
            cwd=place,
            env={**inherited_variables(), "PATH": path, "TMPDIR": str(private), "PYTHONDONTWRITEBYTECODE": "1"},
            owner=folder,
            confinement=confinement(spec.experiment, (place, private)),
        )
        try:
            found = run_command(command, ProcessLimits(wall_s=SMOKE_S), Output(log))
        except StartError as error:
            return failed_check(SMOKE, f"the smoke test cannot be started: {error.problem}")
        if found.exit_code != 0:
            why = one_line(tail_text(log)[-TAIL:], TAIL)
            how = "took too long" if found.timed_out else f"ended with {found.exit_code}"
            network = "" if spec.experiment.harness.network else "; it has no network, as no run of this campaign has"
            return failed_check(SMOKE, f"make the smoke test work ({shlex.join(argv)} {how}{network}): {why}")
    return passed_check(SMOKE, f"the smoke test ended well after {found.wall_s:.1f} s; its output was removed")


def relink(source: Path, copy: Path) -> None:
    """Lets relative links in a copy lead to where they led from the source."""
    for path in copy.rglob("*"):
        if path.is_symlink() and not os.path.isabs(target := os.readlink(path)):
            there = (source / path.relative_to(copy)).parent / target
            if not there.resolve().is_relative_to(source.resolve()):
                path.unlink()
                path.symlink_to(there.resolve())
