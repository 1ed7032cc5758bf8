"""The commands beside the run itself, under the same watchdog: the evaluator of what it saved, and the guard."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Subject
from flagstone.experiments.measuring import checkpoint
from flagstone.experiments.measuring.environment import Surroundings, confinement, limits_of
from flagstone.experiments.measuring.log_end import cause_in, last_line_in
from flagstone.experiments.measuring.measurement import Measurement, Order
from flagstone.metrics import Place, Reading, read_metrics
from flagstone.plans import Home, Spec, StepSpec
from flagstone.processes import Command, Interruption, Output, ProcessResult, StartError, Survivor, run, still_alive
from flagstone.records import read_record, utc, write_record


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
        found = checkpoint.newest_checkpoint(folder, step.artifact)
        if found is None:
            return Reading({}, "evaluate", (f"the run left nothing that matches {step.artifact}",))
        place = self.lay_out("evaluate", order, self.base_tree, f"evaluate-{order.part}.log")
        _, fault = self.run(step, order, place, devices, str(found))
        if fault:
            return Reading({}, "evaluate", (f"the evaluator {fault}",))
        backend = "log" if self.spec.metric.backend == "auto" else self.spec.metric.backend
        where = replace(place, ended_at=time.time())
        return replace(
            read_metrics(backend, self.spec.metric.options, where, self.spec.metric_names), backend="evaluate"
        )

    def guard(self, step: StepSpec, order: Order, devices: Mapping[str, str]) -> Measurement:
        """The result of the guard. A reason means that the candidate may not pass."""
        place = self.lay_out("guard", order, order.tree, "guard.log")
        result, fault = self.run(step, order, place, devices)
        cause = fault and (cause_in(place.log) or last_line_in(place.log))
        reason = fault and f"the guard {fault}{f': {cause}' if cause else ''}"
        made = Measurement("guard", order.seed, "invalid" if fault else "ok", reason)
        if result is None:
            return made
        return replace(
            made,
            exit_code=result.exit_code,
            started_at=utc(place.began_at),
            wall_s=round(result.wall_s, 4),
            gpus=self.spec.harness.gpus,
            log=place.log.relative_to(self.home.root).as_posix(),
            unclean=result.unclean_pids,
        )

    def lay_out(self, step: str, order: Order, tree: str, log: str) -> Place:
        """The folder of a step with the files of a tree in it."""
        folder = self.home.root / "trees" / f"{step}-{order.slot}"
        self.subject.lay_out(tree, folder)
        began = time.time()
        return Place(folder, order.run.root / log, began, began)

    def run(
        self, step: StepSpec, order: Order, place: Place, devices: Mapping[str, str], artifact: str = ""
    ) -> tuple[ProcessResult | None, str]:
        """The result of a command, if it could be started, and what is wrong with it."""
        private = self.home.private_folder(f"{order.slot}-step")
        values = {**self.surroundings.values(order, place.run_dir), "artifact": artifact}
        own = self.surroundings.variables(order, place.run_dir, private)
        visible = (Path(artifact).parent,) if artifact else ()
        command = Command(
            argv=self.surroundings.words(step.argv, place.run_dir, values),
            target=None,
            cwd=place.run_dir,
            env={**own, **devices, "AR_ARTIFACT": artifact},
            owner=str(self.home.root),
            confinement=confinement(self.spec, (place.run_dir, private), visible),
        )
        # it may be silent for as long as it likes: it was not asked to show progress
        limits = replace(limits_of(self.spec.harness), wall_s=step.seconds, silence_s=None)
        try:
            result = run(command, limits, Output(place.log), interruption=self.interruption)
        except StartError as error:
            return None, f"cannot be started: {error.problem}"
        if result.survivors:
            note_unclean(self.home, order.run.root.name, result)
        return result, fault_of(step, result)


def fault_of(step: StepSpec, result: ProcessResult) -> str:
    """What is wrong with how a command ended. Returns '' if it ended well, and by itself."""
    if result.timed_out:
        return f"took longer than {step.seconds:g} s"
    if result.survivors:
        return "left processes that could not be ended"
    if result.ending != "exit":
        return "held more memory than the limit of the harness"
    if result.exit_code is None:
        return f"was ended by signal {result.signal}"
    return f"ended with exit code {result.exit_code}" if result.exit_code else ""


def note_unclean(home: Home, name: str, result: ProcessResult) -> None:
    write_record(home.unclean, {"run": name, "processes": [vars(each) for each in result.survivors]})


def refuse_if_unclean(home: Home) -> None:
    """Nothing is started beside what could not be ended; it unblocks by itself when that is gone."""
    record = read_record(home.unclean)
    if record is None:
        return
    left = still_alive(Survivor(int(row["pid"]), int(row["started_ticks"])) for row in record.get("processes", ()))
    if left:
        pids = ", ".join(str(each.pid) for each in left)
        raise FlagstoneError(
            f"processes of run {record.get('run')} in {home.root} are still alive: {pids}",
            hint=f"kill them (kill -9 {pids.replace(',', '')}), then run the same command again",
        )
    home.unclean.unlink(missing_ok=True)
