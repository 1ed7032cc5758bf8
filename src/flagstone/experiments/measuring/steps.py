"""The commands beside the run itself, under the same watchdog: the evaluator of what it saved, and the checks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Subject
from flagstone.experiments.measuring import checkpoint
from flagstone.experiments.measuring.environment import Surroundings, confinement, limits_of
from flagstone.experiments.measuring.log_end import cause_in, last_line_in
from flagstone.experiments.measuring.measurement import CheckName, Measurement, Order
from flagstone.experiments.measuring.reading import output_to
from flagstone.experiments.measuring.secrets import secret_paths
from flagstone.metrics import Extract, Place, Reading, extract_number, read_metrics
from flagstone.plans import Home, Passes, Spec, StepSpec
from flagstone.processes import Command, Interruption, Output, ProcessResult, StartError, Survivor, run, still_alive
from flagstone.records import read_record, utc, write_record

NAMES = {"guard": "guard", "hidden": "hidden check", "gate": "gate"}
NOT_RUN = 126  # this exit code of a shell, and those above it, say that a command was not run to its end


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
        place, metric = self.lay_out("evaluate", order, self.base_tree, f"evaluate-{order.part}.log"), self.spec.metric
        with output_to(place.log, metric) as output:
            command = self.command(step, order, place, devices, str(found))
            _, fault = self.run(step, order, command, output)
            if fault:
                return Reading({}, "evaluate", (f"the evaluator {fault}",))
            backend = "log" if metric.backend == "auto" else metric.backend
            where = replace(place, ended_at=time.time(), printed=output.copy, shell=command)
            return replace(read_metrics(backend, metric.options, where, self.spec.metric_names), backend="evaluate")

    def check(
        self, name: CheckName, step: StepSpec, order: Order, devices: Mapping[str, str]
    ) -> tuple[Measurement, ...]:
        """Every try of the guard or the hidden check, until it is decided whether enough of them succeed."""
        tries: list[Measurement] = []
        while not is_decided(tries, step.passes):
            part = name if not tries else f"{name}-{len(tries) + 1}"
            tries.append(self.try_check(step, replace(order, part=part), name, devices))
        return tuple(tries)

    def try_check(self, step: StepSpec, order: Order, name: CheckName, devices: Mapping[str, str]) -> Measurement:
        """One try. A reason means that it did not succeed."""
        place = self.lay_out(name, order, order.tree, f"{order.part}.log")
        value = None
        with output_to(place.log, step) as output:
            command = self.command(step, order, place, devices)
            result, fault = self.run(step, order, command, output)
            if output.copy and result and not fault:
                extract = Extract(step.extract, step.locale)
                value, fault = extract_number(extract, output.copy, self.extract_shell(order, devices))
                fault = fault if value is None else shortfall_text(step, value)
        cause = fault and value is None and (cause_in(place.log) or last_line_in(place.log))
        reason = fault and f"the {NAMES[name]} {fault}{f': {cause}' if cause else ''}"
        made = Measurement(order.part, order.seed, "invalid" if fault else "ok", reason, value)
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

    def extract_shell(self, order: Order, devices: Mapping[str, str]) -> Command:
        """Where extract runs: beside the base tree, so that no candidate has written what it calls."""
        name = "hidden" if order.part.startswith("hidden") else "extract"
        place = self.lay_out(name, order, self.base_tree, f"extract-{order.part}.log")
        return self.command(StepSpec(("bash",)), order, place, devices)

    def lay_out(self, step: str, order: Order, tree: str, log: str) -> Place:
        """The folder of a step with the files of a tree in it."""
        folder = self.home.root / "trees" / f"{step}-{order.slot}"
        is_hidden = step == "hidden"
        self.subject.lay_out(tree, folder, whole=is_hidden, is_trusted=step == "extract")
        began = time.time()
        path = self.home.hidden / f"{order.run.root.name}-{log}" if is_hidden else order.run.root / log
        return Place(folder, path, began, began)

    def command(
        self, step: StepSpec, order: Order, place: Place, devices: Mapping[str, str], artifact: str = ""
    ) -> Command:
        is_hidden = order.part.startswith("hidden")
        private = self.home.hidden / f"{order.slot}" if is_hidden else self.home.private_folder(f"{order.slot}-step")
        secret = () if is_hidden else secret_paths(self.home, self.spec)
        values = {**self.surroundings.values(order, place.run_dir), "artifact": artifact}
        own = self.surroundings.variables(order, place.run_dir, private)
        visible = (Path(artifact).parent,) if artifact else ()
        return Command(
            argv=self.surroundings.words(step.argv, place.run_dir, values),
            target=None,
            cwd=place.run_dir,
            env={**own, **devices, "AR_ARTIFACT": artifact},
            owner=str(self.home.root),
            confinement=confinement(self.spec, (place.run_dir, private), visible, secret),
        )

    def run(self, step: StepSpec, order: Order, command: Command, output: Output) -> tuple[ProcessResult | None, str]:
        """The result of a command, if it could be started, and what is wrong with it."""
        # it may be silent for as long as it likes: it was not asked to show progress
        limits = replace(limits_of(self.spec.harness), wall_s=step.seconds, silence_s=None)
        try:
            result = run(command, limits, output, interruption=self.interruption)
        except StartError as error:
            return None, f"cannot be started: {error.problem}"
        if result.survivors:
            note_unclean(self.home, order.run.root.name, result)
        return result, fault_of(step, result)


def is_decided(tries: Sequence[Measurement], passes: Passes) -> bool:
    """Whether further tries cannot change it: enough have succeeded, or too many have not."""
    passed = sum(not each.reason for each in tries)
    return passed >= passes.need or len(tries) - passed > passes.of - passes.need


def failure_text(step: StepSpec, tries: Sequence[Measurement]) -> str:
    """Why a candidate does not pass. Returns '' if it does."""
    reasons, passes = [each.reason for each in tries if each.reason], step.passes
    passed = len(tries) - len(reasons)
    if passed >= passes.need:
        return ""
    count = f" ({passed} of {len(tries)} tries succeeded; {passes.need} of {passes.of} have to)"
    return reasons[-1] + (count if passes.of > 1 else "")


def shortfall_text(step: StepSpec, value: float) -> str:
    """Why a number does not suffice. Returns '' if it does."""
    assert step.threshold is not None
    is_enough = value <= step.threshold if step.direction == "min" else value >= step.threshold
    bound = "most" if step.direction == "min" else "least"
    return "" if is_enough else f"gave {value:g}, and has to give at {bound} {step.threshold:g}"


def fault_of(step: StepSpec, result: ProcessResult) -> str:
    """What is wrong with how a command ended. Returns '' if it ended well, and by itself.

    If its number decides, its exit code does not, unless it was not run at all.
    """
    if result.timed_out:
        return f"took longer than {step.seconds:g} s"
    if result.survivors:
        return "left processes that could not be ended"
    if result.ending != "exit":
        return "held more memory than the limit of the harness"
    if result.exit_code is None:
        return f"was ended by signal {result.signal}"
    if not result.is_copy_whole:
        return "printed more than can be kept for extract"
    is_bad = result.exit_code >= NOT_RUN if step.extract else result.exit_code != 0
    return f"ended with exit code {result.exit_code}" if is_bad else ""


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
