"""Runs one candidate under the watchdog and measures it: what it says of itself is not asked."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.errors import Interrupted
from flagstone.experiments.candidates import Contract, Subject
from flagstone.experiments.deciding import BY_PERSON, Status
from flagstone.experiments.measuring import checkpoint, leases
from flagstone.experiments.measuring.environment import Surroundings, confinement, limits_of
from flagstone.experiments.measuring.log_end import cause_in
from flagstone.experiments.measuring.measurement import Basis, CheckName, Measurement, Order
from flagstone.experiments.measuring.reading import (
    digest_of_others,
    is_extracted,
    measured_quantities,
    output_to,
    primary,
    wandb_run,
)
from flagstone.experiments.measuring.secrets import secret_paths
from flagstone.experiments.measuring.steps import Steps, note_unclean
from flagstone.metrics import Place, Reading, read_metrics
from flagstone.plans import MEASURED, CommandArguments, Home, Spec, StepSpec, unused_path
from flagstone.processes import Command, Interruption, ProcessResult, StartError, run
from flagstone.records import cannot_write, content_of, decode_or_none, encode, utc, write_atomic

SYNCED_S = 1.0
ROOM_BYTES = 65_536  # a disk with less left is full
ENDINGS: Mapping[str, tuple[Status, str]] = {
    "wall": ("timeout", "took longer than {seconds:g} s"),
    "silence": ("timeout", "printed nothing for {silence_s:g} s"),
    "memory": ("crash", "held more than {memory_mb:g} MB of memory"),
    "gpu_memory": ("crash", "held more than {gpu_memory_mb:g} MB of GPU memory"),
}


@dataclass(frozen=True)
class Harness:
    """Everything a run is measured with. `start_files` is the contract as it was when the experiment began."""

    spec: Spec
    home: Home
    subject: Subject
    contract: Contract
    start_digest: str
    start_files: Mapping[str, str]
    base_tree: str
    interruption: Interruption
    program: str | None = None
    say: Callable[[str], None] = lambda _: None
    said: set[str] = field(default_factory=set, compare=False)  # a line for each run, not for each of its repeats

    def measure(self, order: Order) -> Measurement:
        """The measurement; one that a killed process had finished is taken as it is."""
        known = self.earlier_measurement(order)
        if known is not None:
            return known
        tampered = self.tampering_text()
        if tampered:
            return Measurement(order.part, order.seed, "invalid", tampered)
        folder = self.subject.place(order.run, order.slot)
        wrote = self.subject.lay_out(order.tree, folder)
        if wrote:
            self.say_once(wrote)
        found = self.run_in(folder, order)
        if found.status != "ok" and is_full(order.run.root):
            # what fails for want of space says nothing of the candidate
            raise cannot_write(order.run.root, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if found.status == "interrupted":
            return found  # not written down: a later engine measures it again
        tampered = self.tampering_text()
        if tampered:
            found = replace(found, status="invalid", reason=tampered, value=None)
        # survives a kill in any case, and a power cut where it took longer than syncing it
        record = {**vars(found), "tree": order.tree, "contract": self.start_digest}
        write_atomic(order.run.measurement_file(order.part), encode(record) + b"\n", durable=found.wall_s > SYNCED_S)
        return found

    def say_once(self, line: str) -> None:
        if line not in self.said:
            self.said.add(line)
            self.say(line)

    def earlier_measurement(self, order: Order) -> Measurement | None:
        """What was measured of exactly this already. Of another edit, which the run was to be first, it goes aside."""
        path = order.run.measurement_file(order.part)
        content = content_of(path)
        if content is None:
            return None
        asked = Basis(order.tree, self.start_digest, order.seed)
        if decode_or_none(content, Basis) == asked and (found := decode_or_none(content, Measurement)):
            return found
        os.rename(path, unused_path(path))
        return None

    def tampering_text(self) -> str:
        """Which files of the contract a run changed, in words. Returns '' if none."""
        changed = self.contract.change_text(self.start_files, self.start_digest)
        return changed and f"tampered: {changed}"

    @contextmanager
    def resources(self, order: Order) -> Iterator[Mapping[str, str]]:
        """The GPUs of a run, as its environment has to name them; alone on the machine, where its time is measured."""
        with ExitStack() as held:
            asked, stop = self.spec.harness, lambda: self.interruption.is_asked

            def say(what: str) -> None:
                self.say_once(f"{order.run.root.name} is {what}")

            held.enter_context(leases.hold_machine(is_alone=bool(asked.exclusive), on_wait=say, stop=stop))
            yield held.enter_context(leases.lease(asked.gpus, on_wait=say, stop=stop)).environment()

    @contextmanager
    def proposal_turn(self) -> Iterator[None]:
        """Where time is measured, a proposal is made between the runs and not beside them."""
        if not self.spec.harness.exclusive:
            yield
            return
        with leases.hold_machine(is_alone=False, stop=lambda: self.interruption.is_asked):
            yield

    def run_in(self, folder: Path, order: Order) -> Measurement:
        private = self.home.private_folder(f"{order.slot}")
        log, metric = order.run.log_of(order.part), self.spec.metric
        with self.resources(order) as devices, output_to(log, metric) as output:
            command = self.command(order, folder, private, devices)
            began = time.time()
            try:
                limits, watch = replace(limits_of(self.spec.harness), grace_s=0), order.early_stop
                result = run(command, limits, output, watch, interruption=self.interruption)
            except StartError as error:
                return Measurement(order.part, order.seed, "crash", error.problem, exit_code=127)
            except Interrupted:
                wall_s, started_at = time.time() - began, utc(began)
                is_by_person = self.home.stop.exists() or self.interruption.by_person
                why = BY_PERSON if is_by_person else "a signal stopped it"
                return Measurement(order.part, order.seed, "interrupted", why, started_at=started_at, wall_s=wall_s)
            is_laid_out = self.subject.laid_out_in(folder)
            shell = self.steps.extract_shell(order, devices) if output.copy else None
            place = Place(folder, log, began, time.time(), is_laid_out, output.copy, shell)
            return self.measurement_of(order, folder, result, place, devices)

    def check(self, name: CheckName, order: Order) -> tuple[Measurement, ...]:
        """Every try of the guard or the hidden check; empty if the experiment has none."""
        step = self.spec.guard if name == "guard" else self.spec.hidden
        if step is None:
            return ()
        with self.resources(order) as devices:
            return self.steps.check(name, step, order, devices)

    def try_gate(self, step: StepSpec, order: Order) -> Measurement:
        """One further command that the files of a run have to pass. A reason means that they do not."""
        with self.resources(order) as devices:
            return self.steps.try_check(step, order, "gate", devices)

    @cached_property
    def steps(self) -> Steps:
        return Steps(self.spec, self.home, self.subject, self.base_tree, self.interruption, self.surroundings)

    @cached_property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.spec, self.program)

    def command(self, order: Order, folder: Path, private: Path, devices: Mapping[str, str]) -> Command:
        own, values = self.surroundings.arguments(folder), self.surroundings.values(order, folder)
        argv = self.surroundings.command_words(self.spec.harness.argv, folder, {**own, **values})
        weights = checkpoint.of_parent(self.home)
        if weights and self.spec.resume.get("flag"):
            argv += (self.spec.resume["flag"], str(weights))
        if weights and (key := self.spec.resume.get("key")):
            argv += tuple(CommandArguments("hydra", {key: str(weights)}).words({}, str))
        env = {**self.surroundings.variables(order, folder, private), **devices}
        if weights:
            env[self.spec.resume.get("variable") or "AR_RESUME_CKPT"] = str(weights)
        return Command(
            argv=argv,
            target=None,
            cwd=folder,
            env=env,
            owner=str(self.home.root),
            confinement=confinement(self.spec, (folder, private), hidden=secret_paths(self.home, self.spec)),
        )

    def process_facts(self, result: ProcessResult, place: Place) -> dict[str, Any]:
        """What is known of a process however it ended."""
        return {
            "exit_code": result.exit_code if result.exit_code is not None else -(result.signal or 0),
            "started_at": utc(place.began_at),
            "wall_s": round(result.wall_s, 4),
            "peak_rss_mb": result.peak_rss_mb,
            "peak_vram_mb": result.peak_gpu_mb,
            "gpus": self.spec.harness.gpus,
            "log": place.log.relative_to(self.home.root).as_posix(),
            "unclean": result.unclean_pids,
            "stragglers": len(result.ended_stragglers),
        }

    def measurement_of(
        self, order: Order, folder: Path, result: ProcessResult, place: Place, devices: Mapping[str, str]
    ) -> Measurement:
        """How the run ended, and, if it ended well, its metric."""
        status, reason = self.ending_of(result)
        if order.early_stop and order.early_stop.reason and status != "unclean":
            return self.stopped_early(order, result, place)
        known = self.process_facts(result, place)
        if result.survivors:
            note_unclean(self.home, order.run.root.name, result)
        if status != "ok":
            cause = cause_in(place.log) if status == "crash" else ""
            checkpoint.collect(self.spec.checkpoint, folder, order, place, wanted=False)
            return Measurement(order.part, order.seed, status, f"{reason}: {cause}" if cause else reason, **known)
        asked_at = time.time()
        reading = self.read_run(order, folder, place, devices)
        known["evaluator_s"] = round(time.time() - asked_at, 4) if self.spec.evaluate else 0.0
        wanted = order.part in checkpoint.FIRST
        saved, problem = checkpoint.collect(self.spec.checkpoint, folder, order, place, wanted=wanted)
        measured = measured_quantities(known)
        value, fault = primary(reading, self.spec, measured)
        metrics = {**reading.values, **measured}
        if problem and self.spec.checkpoint and self.spec.checkpoint.required:
            fault = fault or problem
        return Measurement(
            order.part,
            order.seed,
            "crash" if reading.failure else "invalid" if fault else "ok",
            reading.failure or fault,
            None if fault else value,
            {name: number for name, number in metrics.items() if self.is_kept(name)},
            reading.backend,
            others=digest_of_others(reading, self.spec),
            source=next(iter(reading.sources), ""),
            checkpoint=saved,
            checkpoint_fault=problem,
            wandb_run_id=wandb_run(reading),
            **known,
        )

    def stopped_early(self, order: Order, result: ProcessResult, place: Place) -> Measurement:
        """A run that was clearly worse. It has no number, so that it is never the best."""
        reason = order.early_stop.reason if order.early_stop else ""
        with open(place.log, "a", encoding="utf-8") as log:
            log.write(f"\n{reason}\n")
        known = self.process_facts(result, place)
        return Measurement(order.part, order.seed, "invalid", reason, is_stopped_early=True, **known)

    def is_kept(self, name: str) -> bool:
        return name in self.spec.metric_names or (name in MEASURED and name != "wall_seconds")

    def ending_of(self, result: ProcessResult) -> tuple[Status, str]:
        if result.survivors:
            return "unclean", f"processes could not be ended: {', '.join(map(str, result.unclean_pids))}"
        if result.ending in ENDINGS:
            status, words = ENDINGS[result.ending]
            return status, words.format(**vars(self.spec.harness))
        if not result.is_copy_whole:
            return "crash", "printed more than can be kept for metric.extract"
        if result.exit_code in self.spec.harness.ok_exit:
            return "ok", ""
        return "crash", f"exit code {result.exit_code}" if result.exit_code is not None else f"signal {result.signal}"

    def read_run(self, order: Order, folder: Path, place: Place, devices: Mapping[str, str]) -> Reading:
        """The metrics of a run. If there is an evaluator, its metric counts; the run's own values are only kept."""
        options = self.spec.metric.options
        if self.spec.evaluate and is_extracted(self.spec.metric):
            return self.steps.evaluate(self.spec.evaluate, order, folder, devices)
        own = read_metrics(self.spec.metric.backend, options, place, self.spec.metric_names)
        if self.spec.evaluate is None:
            return own
        scored = self.steps.evaluate(self.spec.evaluate, order, folder, devices)
        values = {name: value for name, value in own.values.items() if name != self.spec.metric.name}
        return replace(scored, values={**values, **scored.values}, problems=(*own.problems, *scored.problems))


def is_full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < ROOM_BYTES
