"""A trial, opened: its spec, its trees and contract, and how it began."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Contract, Store, Subject, make_run_repository, subject_of
from flagstone.experiments.measuring import inherited_variables, program_path
from flagstone.plans import CONTROL, Arm, TrialFolder, TrialPlan, TrialSpec, unused_path
from flagstone.records import digest_file, plain_value, read_as, read_record, utc, write_atomic, write_record
from flagstone.trials.lines import IdeaLine
from flagstone.trials.planning import load_trial
from flagstone.trials.running.state import TrialState
from flagstone.trials.running.steps import OFF
from flagstone.trials.running.trees import ArmTree, arm_trees
from flagstone.trials.sealing import SharedBasis, make_sealed, shared_basis

MADE = (
    *("ledger.jsonl", "prereg.json", "sealed", "looks", "ideas", "exports", "start.json", "failure.json", "done.json"),
    *("verdict.json", "baseline_variance.md", "report.md", "report.html", "forest.svg", "forest.csv"),
)
PLAN, START = "design.json", "start.json"


@dataclass(frozen=True)
class TrialStart:
    """How a trial began: the tree of the control and of each arm, and what decides about the number."""

    tree: str
    commit: str
    arms: Mapping[str, ArmTree]
    contract: str
    files: Mapping[str, str]
    program: str | None
    shared: SharedBasis
    began_at: str
    checked: str = ""  # the digest of trial.yaml, of which nothing was wrong


@dataclass(frozen=True)
class OpenedTrial:
    """What every job of a trial needs."""

    plan: TrialPlan
    spec: TrialSpec
    subject: Subject
    contract: Contract
    start: TrialStart

    @property
    def folder(self) -> TrialFolder:
        return self.plan.folder

    def state(self) -> TrialState:
        return TrialState.read(self.folder.ledger)

    def arm(self, name: str) -> Arm:
        """The switch of an arm. With `-off`, its files without the switch."""
        if name == CONTROL or name.endswith(OFF):
            return Arm(name)
        known = next((arm for arm in self.spec.arms if arm.name == name), None)
        idea = self.state().story.ideas.get(name) if known is None else None
        if known is None and idea is None:
            raise FlagstoneError(f"trial {self.plan.name} has no arm {name}", hint="its arms are those of its plan")
        return known or Arm(name, idea.switch if idea else (), idea.env if idea else {})

    def tree(self, name: str) -> str:
        """The stored tree of an arm; the control's is the baseline."""
        arm = name.removesuffix(OFF)
        if arm == CONTROL:
            return self.start.tree
        known = self.start.arms.get(arm)
        return known.tree if known else self.state().story.ideas[arm].tree

    def idea_of(self, arm: Arm) -> IdeaLine:
        """The line of an arm of the plan."""
        tree = self.start.arms[arm.name]
        return IdeaLine(
            arm.name, arm.name, tree.tree, tree.commit, self.start.began_at, arm.switch, arm.env, tree.lines
        )

    def basis_now(self) -> SharedBasis:
        """What all runs hold for, as it is on this machine now."""
        return shared_basis(self.folder, self.spec, self.start.contract, inherited_variables())

    @property
    def contract_change(self) -> str:
        """What was changed of what decides about the number, in words; '' if nothing was."""
        return self.contract.change_text(self.start.files, self.start.contract)


def way_on_text(opened: OpenedTrial) -> str:
    """What a person does after a change of what all runs of a trial have to have in common."""
    plan, folder = opened.plan, opened.folder
    if opened.state().story.prereg is None:
        anew = "run again: nothing is sealed yet, so the trial begins with what is there now"
    elif plan.is_approved_by_stage:
        anew = f"say why in a line of {plan.path}, and approve it again: the trial begins anew, with half the α"
    else:
        name = unused_path(folder.root.with_name(f"{plan.name}-2")).name
        anew = f"ask again, with half the α: flagstone trials new {name} --from {plan.path}"
    return f"put it back as it was, since earlier runs cannot be compared with later ones otherwise; or {anew}"


def open_trial(plan: TrialPlan, schemas: Path) -> OpenedTrial:
    """The trial as it began. Raises an error if it has not begun with this plan."""
    opened = found_trial(plan, schemas)
    if opened is None:
        raise FlagstoneError(
            f"trial {plan.name} has not begun with its present plan, or {PLAN} or {START} of its folder is lost",
            hint=f"restore both in {plan.folder.root} from a copy, or set up a new trial",
        )
    return opened


def found_trial(plan: TrialPlan, schemas: Path) -> OpenedTrial | None:
    folder = plan.folder
    start = read_as(folder.root / START, TrialStart)
    if start is None or (read_record(folder.root / PLAN) or {}).get("plan") != plan.digest:
        return None
    spec = load_trial(folder.spec, plan.base, schemas, checked=start.checked)
    subject = subject_of(spec.experiment.subject, Store(folder.store))
    return OpenedTrial(plan, spec, subject, Contract(spec.experiment, folder.spec), start)


def begin_trial(plan: TrialPlan, schemas: Path) -> OpenedTrial:
    """Begins the trial, or takes it as it began. Another plan begins another trial; the old one goes to its history.

    The caller holds the trial's lock.
    """
    adopt_plan(plan)
    opened = found_trial(plan, schemas)
    if opened is not None and not is_outdated(opened):
        return opened
    if opened is not None:
        start_over(plan.folder)
        adopt_plan(plan)
    if plan.folder.prereg.exists():
        raise FlagstoneError(
            f"trial {plan.name} was pre-registered, and {START} of its folder is lost or cannot be read",
            hint=f"restore it in {plan.folder.root} from a copy, or set up a new trial",
        )
    return begin(plan, load_trial(plan.folder.spec, plan.base, schemas))


def is_outdated(opened: OpenedTrial) -> bool:
    """Whether the project was changed before anything was sealed: then the trial is about what is there now."""
    if opened.state().story.prereg is not None:
        return False
    is_elsewhere = opened.basis_now() != opened.start.shared
    return is_elsewhere or bool(opened.contract_change) or opened.subject.has_changed(opened.start.tree)


@contextmanager
def beginning_anew(opened: OpenedTrial) -> Iterator[None]:
    """An error before anything is sealed lets the next call begin with what is in the project then."""
    try:
        yield
    except FlagstoneError:
        if opened.state().story.prereg is None:
            opened.folder.look(0).unlink(missing_ok=True)
        raise


def adopt_plan(plan: TrialPlan) -> None:
    """The approved plan becomes trial.yaml. What a person wrote there is kept aside."""
    folder, text, digest = plan.folder, plan.text, plan.digest
    design = folder.root / PLAN
    if (read_record(design) or {}).get("plan") not in (None, digest):
        start_over(folder)
    if plan.is_approved_by_stage:
        known = folder.spec.read_text(encoding="utf-8", errors="replace") if folder.spec.is_file() else None
        if known not in (None, text):
            os.replace(folder.spec, unused_path(folder.spec.with_name("trial.yaml.set-aside")))
        if known != text:
            write_atomic(folder.spec, text.encode())
    write_record(design, {"plan": digest})


def start_over(folder: TrialFolder) -> None:
    """Moves what was decided to history/<n>/. Runs stay: those that hold for the same are used again."""
    aside = unused_path(folder.root / "history" / "001")
    aside.mkdir(parents=True)
    for name in (*MADE, PLAN):  # design.json goes last: until then, the next call does the rest of this
        if (folder.root / name).exists():
            os.rename(folder.root / name, aside / name)


def begin(plan: TrialPlan, spec: TrialSpec) -> OpenedTrial:
    """Stores the trees and the contract."""
    folder, experiment = plan.folder, spec.experiment
    root = experiment.subject.root
    if not root.is_dir():
        raise FlagstoneError(f"the project folder {root} does not exist", hint=f"correct subject.root in {plan.path}")
    os.chmod(folder.root, 0o700)
    make_sealed(folder)  # before any agent or run starts that must not see what comes in
    subject = subject_of(experiment.subject, Store(folder.store))
    contract = Contract(experiment, folder.spec)
    base = subject.base()
    is_of_run = (plan.base / "run.yaml").is_file()
    if not is_of_run:
        make_run_repository(root, subject.run_repository, has_every_file=experiment.subject.kind == "git")
    program = None if is_of_run else program_path(experiment.harness.argv[0], root, os.environ)
    files = contract.begun(program)
    trees = arm_trees(spec.arms, subject, base, plan.base)
    digest = contract.digest(files)
    shared = shared_basis(folder, spec, digest, inherited_variables())
    start = TrialStart(
        base.tree, base.commit, trees, digest, files, program, shared, utc(time.time()), digest_file(folder.spec)
    )
    subject.store.show_to_git()
    write_record(folder.root / START, plain_value(start))
    return OpenedTrial(plan, spec, subject, contract, start)
