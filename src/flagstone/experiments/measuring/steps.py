"""The commands beside the run itself, under the same watchdog: the evaluator of what it saved, and the guard."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.experiments.candidates import Subject, make_empty_folder
from flagstone.experiments.measuring import checkpoint
from flagstone.experiments.measuring.environment import Surroundings, confinement, limits_of
from flagstone.experiments.measuring.measurement import Measurement, Order
from flagstone.metrics import Place, Reading, read_metrics
from flagstone.plans import Home, Spec, StepSpec
from flagstone.processes import Command, Interruption, Output, ProcessResult, StartError, run
from flagstone.records import utc, write_record


@dataclass(frozen=True)
class Steps:
    """What these commands need; each is laid out in a folder that is used again, and writes to nothing of the run's."""

    spec: Spec
    home: Home
    subject: Subject
    base_tree: str
    interruption: Interruption
    surroundings: Surroundings

    def evaluate(self, step: StepSpec, order: Order, folder: Path, devices: Mapping[str, str]) -> Reading:
        """The score of what the run saved, by a fresh process beside the base tree: no code of the candidate's."""
        found = checkpoint.newest(folder, step.artifact)
        if found is None:
            return Reading({}, "evaluate", (f"the run left nothing that matches {step.artifact}",))
        place, log = self.folder_for("evaluate", order), order.run.root / f"evaluate-{order.part}.log"
        self.subject.lay_out(self.base_tree, place)
        began = time.time()
        try:
            result = self.run(step, order, Place(place, log, began, began), devices, str(found))
        except StartError as error:
            return Reading({}, "evaluate", (f"the evaluator cannot be started: {error.problem}",))
        if result.exit_code != 0 or result.survivors:
            return Reading({}, "evaluate", (f"the evaluator {ending(step, result)}",))
        backend = "log" if self.spec.metric.backend == "auto" else self.spec.metric.backend
        where = Place(place, log, began, time.time())
        return replace(read_metrics(backend, self.spec.metric.options, where, self.spec.wanted), backend="evaluate")

    def guard(self, step: StepSpec, order: Order, devices: Mapping[str, str]) -> Measurement:
        """What the guard came to; a reason means that the candidate may not pass."""
        place, log = self.folder_for("guard", order), order.run.root / "guard.log"
        self.subject.lay_out(order.tree, place)
        began = time.time()
        try:
            result = self.run(step, order, Place(place, log, began, began), devices)
        except StartError as error:
            return Measurement("guard", order.seed, "invalid", f"the guard cannot be started: {error.problem}")
        passes = result.exit_code == 0 and not result.survivors
        return Measurement(
            "guard",
            order.seed,
            "ok" if passes else "invalid",
            "" if passes else f"the guard {ending(step, result)}",
            exit_code=result.exit_code,
            started_at=utc(began),
            wall_s=round(result.wall_s, 4),
            gpus=self.spec.harness.gpus,
            log=log.relative_to(self.home.root).as_posix(),
            unclean=result.unclean_pids,
        )

    def folder_for(self, step: str, order: Order) -> Path:
        return self.home.root / "trees" / f"{step}-{order.slot}"

    def run(
        self, step: StepSpec, order: Order, place: Place, devices: Mapping[str, str], artifact: str = ""
    ) -> ProcessResult:
        private = self.home.private(f"{order.slot}-step")
        make_empty_folder(private)
        values = {**self.surroundings.values(order, place.run_dir), "artifact": artifact}
        own = self.surroundings.variables(order, place.run_dir, private)
        command = Command(
            argv=self.surroundings.words(step.argv, place.run_dir, values),
            target=None,
            cwd=place.run_dir,
            env={**own, **devices, "AR_ARTIFACT": artifact},
            owner=str(self.home.root),
            confinement=confinement(self.spec, (place.run_dir, private)),
        )
        # it may be silent for as long as it likes: it was not asked to show progress
        limits = replace(limits_of(self.spec.harness), wall_s=step.seconds, silence_s=None)
        result = run(command, limits, Output(place.log), interruption=self.interruption)
        if result.survivors:
            note_unclean(self.home, order.run.root.name, result)
        return result


def ending(step: StepSpec, result: ProcessResult) -> str:
    """How a command ended that was to end well."""
    if result.timed_out:
        return f"took longer than {step.seconds:g} s"
    if result.survivors:
        return "left processes that could not be ended"
    if result.exit_code is None:
        return f"was ended by signal {result.signal}"
    return f"ended with exit code {result.exit_code}"


def note_unclean(home: Home, name: str, result: ProcessResult) -> None:
    write_record(home.unclean, {"run": name, "processes": [vars(each) for each in result.survivors]})
