"""One run of one arm: measured once, recorded, and never drawn again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.candidates import Subject
from flagstone.experiments.measuring import Harness, Measurement, Order, devices, refuse_if_unclean
from flagstone.locks import hold
from flagstone.plans import Arm, Home, RunFolder, TrialFolder, TrialPlan, unused_path
from flagstone.processes import Interruption, end_orphans
from flagstone.records import Ledger, plain_value, read_record, write_record
from flagstone.trials.lines import RunLine
from flagstone.trials.running.opening import OpenedTrial, beginning_anew, open_trial, way_on_text
from flagstone.trials.running.records import TrialRun, line_measured, record_of, run_record, run_text
from flagstone.trials.sealing import difference_text, seed_for
from flagstone.trials.story import lines_in


def measure_run(plan: TrialPlan, key: tuple[str, str], schemas: Path, say: Callable[[str], None]) -> None:
    """Measures one run and records it. A failure of the program is an outcome; only what says nothing of it raises."""
    opened, row = open_trial(plan, schemas), plan.order_of(*key) or {}
    wanted = TrialRun(*key, row.get("basis", ""))
    seed = seed_for(plan.folder, opened.spec, wanted.slot, row.get("what", "a call that no step makes"))
    if not row:
        raise FlagstoneError(
            f"trial {plan.name} does not ask for the run {wanted.name} now", hint="ask for its next look"
        )
    with (
        hold(plan.folder.root / "locks" / wanted.name, f"run {wanted.name}", wait=True),
        Interruption() as interruption,
    ):
        if record_of(plan.folder, wanted):
            return  # measured by a process that its caller did not wait for
        measuring = Measuring(opened, wanted, seed, interruption, say)
        line = line_of(plan.folder, wanted) or measuring.note(measuring.record())
        write_record(plan.folder.record(*key), plain_value(run_record(opened, line, seed)))
        say(run_text(line, opened.spec))


def line_of(folder: TrialFolder, wanted: TrialRun) -> RunLine | None:
    """The line of a run in the ledger. A run that has one is never drawn again, whatever became of its record."""
    lines = (line for line in lines_in(folder.ledger) if isinstance(line, RunLine))
    return next((line for line in lines if (line.arm, line.slot, line.basis) == astuple(wanted)), None)


def first_run(folder: TrialFolder) -> RunLine | None:
    """The run whose environment all others must find. Returns None if none has recorded its own yet."""
    return next((line for line in Ledger(folder.ledger).read(RunLine) if line.environment), None)


@dataclass(frozen=True)
class Measuring:
    """One run under way."""

    opened: OpenedTrial
    wanted: TrialRun
    seed: int
    interruption: Interruption
    say: Callable[[str], None]

    @property
    def arm(self) -> Arm:
        return self.opened.arm(self.wanted.arm)

    def note(self, line: RunLine) -> RunLine:
        """Puts the outcome into the ledger before anybody can act on it."""
        with hold(self.opened.folder.lock, f"trial {self.opened.plan.name}", wait=True):
            Ledger(self.opened.folder.ledger).append(line)
        return line

    def record(self) -> RunLine:
        """Runs the program, and says how that ended."""
        home = self.wanted.home(self.opened.folder)
        if home.root.exists():  # looking for processes that an earlier call left takes longer than many a run
            refuse_if_unclean(home)
            end_orphans(str(home.root))
        with beginning_anew(self.opened):
            environment = self.found_environment()
        self.take_folder(home)
        gpus = len(devices()) if self.opened.spec.experiment.harness.gpus else 0
        tree = self.opened.tree(self.wanted.arm)
        run = RunFolder(home.root)
        found = self.harness(home).measure(Order(run, tree, "first", self.seed, self.wanted.name))
        self.refuse_if_no_outcome(found, gpus)
        keep_tree(home, self.opened.subject)
        return replace(line_measured(found, self.opened.spec, self.wanted), environment=environment)

    def found_environment(self) -> str:
        """The digest of the environment. Raises an error if it, the data or the contract is another than before."""
        opened = self.opened
        if change := opened.contract_change:
            problem = f"what decides {opened.spec.experiment.metric.name} has changed since the trial began: {change}"
            raise FlagstoneError(problem, hint=way_on_text(opened))
        now, first = opened.basis_now(), first_run(opened.folder)
        before = replace(opened.start.shared, environment=first.environment if first else now.environment)
        if change := difference_text(opened.folder, now, before):
            since = f"{first.arm}-{first.slot} ran" if first else "the trial began"
            raise FlagstoneError(f"{self.wanted.name} cannot run: {change}, when {since}", hint=way_on_text(opened))
        return now.environment

    def take_folder(self, home: Home) -> None:
        """What an earlier run left that held for something else goes aside."""
        basis = home.root / "basis.json"
        if home.root.exists() and (read_record(basis) or {}).get("basis") != self.wanted.basis:
            os.rename(home.root, unused_path(home.root))
        if not basis.exists():
            write_record(basis, {"basis": self.wanted.basis})

    def harness(self, home: Home) -> Harness:
        """The harness of the trial, with the switch of this arm."""
        opened, arm = self.opened, self.arm
        asked = opened.spec.experiment.harness
        switched = replace(asked, argv=(*asked.argv, *arm.switch), env={**asked.env, **arm.env})
        return Harness(
            spec=replace(opened.spec.experiment, harness=switched),
            home=home,
            subject=opened.subject,
            contract=opened.contract,
            start_digest=opened.start.contract,
            start_files=opened.start.files,
            base_tree=opened.start.tree,
            interruption=self.interruption,
            program=opened.start.program,
            say=self.say,
        )

    def refuse_if_no_outcome(self, found: Measurement, gpus: int) -> None:
        """An interruption, processes that live on and a lost GPU say nothing of the program: it is run again."""
        name, again = self.wanted.name, "run the same command again: this run is measured again on the same seed"
        if found.status == "interrupted":
            raise Interrupted(f"{name} was interrupted", hint=again)
        is_lost = found.status != "ok" and gpus > len(devices())
        if not (is_lost or found.status == "unclean"):
            return
        measured = RunFolder(self.wanted.home(self.opened.folder).root).measurement_file("first")
        if measured.exists():
            os.rename(measured, unused_path(measured))
        if is_lost:
            raise WorkFailed(f"{name}: a GPU was lost during the run", hint=f"bring it back, then {again}")
        raise WorkFailed(f"{name}: {found.reason}", hint=f"end these processes, then {again}")


def keep_tree(home: Home, subject: Subject) -> None:
    """The files that were run go to the folder of their run."""
    laid_out = home.root.parents[1] / "trees" / home.root.name
    target = RunFolder(home.root).tree
    if laid_out.is_dir() and not target.exists():
        os.rename(laid_out, target)
        laid_out.with_name(f"{laid_out.name}.json").unlink(missing_ok=True)
        subject.last_seen_in(laid_out).forget_folder()


def repeat_run(opened: OpenedTrial, line: RunLine, seed: int, say: Callable[[str], None]) -> Measurement:
    """The same run once more, without a network and held to a folder of its own. Nothing of the trial changes."""
    experiment = opened.spec.experiment
    asked = replace(experiment.harness, network=False, writable=())
    held = replace(opened, spec=replace(opened.spec, experiment=replace(experiment, sandbox="require", harness=asked)))
    home = Home(unused_path(opened.folder.root / "runs" / f"again-{line.arm}-{line.slot}"), opened.folder.base)
    order = Order(RunFolder(home.root), opened.tree(line.arm), "first", seed, home.root.name)
    with Interruption() as interruption:
        measuring = Measuring(held, TrialRun(line.arm, line.slot, line.basis), seed, interruption, say)
        return measuring.harness(home).measure(order)
