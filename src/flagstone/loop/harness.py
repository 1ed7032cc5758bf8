"""Runs one candidate under the watchdog and measures it: what it says of itself is not asked."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from flagstone.errors import Interrupted
from flagstone.loop import checkpoint, leases
from flagstone.loop.contract import Contract, difference
from flagstone.loop.entry import Measurement, Status
from flagstone.loop.home import Home, RunFolder, unused
from flagstone.loop.overlay import emptied
from flagstone.loop.readings import measured_quantities, primary, wandb_run
from flagstone.loop.spec import MEASURED, Spec, StepSpec
from flagstone.loop.subject import Subject
from flagstone.loop.surroundings import confinement, environment, filled
from flagstone.loop.tailing import cause_in
from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place, Reading
from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, StartError, run
from flagstone.processes.interruption import Interruption
from flagstone.records import cannot_write, read_record, utc, write_record

SYNCED_S = 1.0
ROOM_BYTES = 65_536  # a disk with less left is full
ENDINGS: Mapping[str, tuple[Status, str]] = {
    "wall": ("timeout", "took longer than {seconds:g} s"),
    "silence": ("timeout", "printed nothing for {silence_s:g} s"),
    "memory": ("crash", "held more than {memory_mb:g} MB of memory"),
    "gpu_memory": ("crash", "held more than {gpu_memory_mb:g} MB of GPU memory"),
}


@dataclass(frozen=True)
class Order:
    """One measurement that is wanted: which tree, for which run, as which part, with which seed."""

    run: RunFolder
    tree: str
    part: str
    seed: int
    slot: int = 0


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
    say: Callable[[str], None] = lambda _: None

    def measure(self, order: Order) -> Measurement:
        """The measurement; one that a killed process had finished is taken as it is."""
        known = kept(order.run.measured(order.part))
        if known is not None:
            return known
        tampered = self.tampering()
        if tampered:
            return Measurement(order.part, order.seed, "invalid", tampered)
        folder = self.subject.place(order.run, order.slot)
        if folder.parent == order.run.root and folder.exists():
            os.rename(folder, unused(folder))  # what an earlier part of this run left is kept beside it
        self.subject.lay_out(order.tree, folder)
        found = self.run_in(folder, order)
        if found.status != "ok" and is_full(order.run.root):
            # what fails for want of space says nothing of the candidate
            raise cannot_write(order.run.root, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if found.status == "interrupted":
            return found  # not written down: a later engine measures it again
        tampered = self.tampering()
        if tampered:
            found = replace(found, status="invalid", reason=tampered, value=None)
        # survives a kill in any case, and a power cut where it took longer than syncing it
        write_record(order.run.measured(order.part), found.to_record(), durable=found.wall_s > SYNCED_S)
        return found

    def tampering(self) -> str:
        """What was changed of the contract, in words with both digests; nothing where it stands."""
        now = self.contract.files(self.start_files)
        if self.contract.digest(now) == self.start_digest:
            return ""
        return f"tampered: {difference(self.start_files, now)}"

    def run_in(self, folder: Path, order: Order) -> Measurement:
        private = self.home.private(f"{order.slot}")
        emptied(private)
        with ExitStack() as held:
            beside = leases.alone_on_machine if self.spec.harness.exclusive else leases.beside_others
            held.enter_context(beside(on_wait=partial(self.say_waiting, order), stop=self.was_asked))
            lease = held.enter_context(
                leases.lease(self.spec.harness.gpus, on_wait=partial(self.say_waiting, order), stop=self.was_asked)
            )
            command = self.command(order, folder, private, lease.environment())
            began = time.time()
            try:
                result = run(
                    command, self.limits(), Output(order.run.log_of(order.part)), interruption=self.interruption
                )
            except StartError as error:
                return Measurement(order.part, order.seed, "crash", error.problem, exit_code=127)
            except Interrupted:
                wall_s, started_at = time.time() - began, utc(began)
                return Measurement(
                    order.part, order.seed, "interrupted", "a person stopped it", started_at=started_at, wall_s=wall_s
                )
        return self.judged(order, folder, result, Place(folder, order.run.log_of(order.part), began, time.time()))

    def say_waiting(self, order: Order, what: str) -> None:
        self.say(f"{order.run.root.name} is {what}")

    def was_asked(self) -> bool:
        return self.interruption.is_asked

    def limits(self) -> ProcessLimits:
        asked = self.spec.harness
        return ProcessLimits(
            wall_s=asked.seconds,
            silence_s=asked.silence_s,
            memory_mb=asked.memory_mb,
            gpu_memory_mb=asked.gpu_memory_mb,
            watch_gpu=asked.gpus > 0,
        )

    def command(self, order: Order, folder: Path, private: Path, devices: Mapping[str, str]) -> Command:
        values = {"seed": str(order.seed), "run_dir": str(folder), "entry": self.spec.subject.entry}
        argv = [filled(word, values) for word in self.spec.harness.argv]
        weights = checkpoint.of_parent(self.home)
        if weights and self.spec.resume.get("flag"):
            argv += [self.spec.resume["flag"], str(weights)]
        env = {**environment(self.spec, order.run.root.name, folder, private, order.seed), **devices}
        if weights:
            env[self.spec.resume.get("variable") or "AR_RESUME_CKPT"] = str(weights)
        return Command(
            argv=tuple(argv),
            target=None,
            cwd=folder,
            env=env,
            owner=str(self.home.root),
            confinement=confinement(self.spec, (folder, private)),
        )

    def judged(self, order: Order, folder: Path, result: ProcessResult, place: Place) -> Measurement:
        """What the run came to, and its metric where it came to its end."""
        status, reason = self.ending_of(result)
        known: dict[str, Any] = {
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
        if result.survivors:
            note_unclean(self.home, order.run.root.name, result)
        if status != "ok":
            cause = cause_in(place.log) if status == "crash" else ""
            checkpoint.gathered(self.spec.checkpoint, folder, order, place, wanted=False)
            return Measurement(order.part, order.seed, status, f"{reason}: {cause}" if cause else reason, **known)
        reading = self.reading(order, folder, place)
        wanted = order.part in ("first", "rebased")
        saved, problem = checkpoint.gathered(self.spec.checkpoint, folder, order, place, wanted=wanted)
        value, fault = primary(reading, self.spec)
        metrics = {**reading.values, **measured_quantities(known)}
        if problem and self.spec.checkpoint and self.spec.checkpoint.required:
            fault = fault or problem
        return Measurement(
            order.part,
            order.seed,
            "invalid" if fault else "ok",
            fault,
            None if fault else value,
            {name: number for name, number in metrics.items() if self.is_kept(name)},
            reading.backend,
            checkpoint=saved,
            wandb_run_id=wandb_run(reading),
            **known,
        )

    def is_kept(self, name: str) -> bool:
        return name in self.spec.wanted or (name in MEASURED and name != "wall_seconds")

    def ending_of(self, result: ProcessResult) -> tuple[Status, str]:
        if result.survivors:
            return "unclean", f"processes could not be ended: {', '.join(map(str, result.unclean_pids))}"
        if result.ending in ENDINGS:
            status, words = ENDINGS[result.ending]
            return status, words.format(**vars(self.spec.harness))
        if result.exit_code == 0:
            return "ok", ""
        return "crash", f"exit code {result.exit_code}" if result.exit_code is not None else f"signal {result.signal}"

    def reading(self, order: Order, folder: Path, place: Place) -> Reading:
        """Where there is an evaluator its word counts, and the run's own is only kept."""
        options = self.spec.metric.options
        own = read_metrics(self.spec.metric.backend, options, place, self.spec.wanted)
        if self.spec.evaluate is None:
            return own
        scored = self.evaluated(self.spec.evaluate, order, folder)
        values = {name: value for name, value in own.values.items() if name != self.spec.metric.name}
        return replace(scored, values={**values, **scored.values}, problems=(*own.problems, *scored.problems))

    def evaluated(self, step: StepSpec, order: Order, folder: Path) -> Reading:
        """The score of what the run saved, by a fresh process beside the base tree: no code of the candidate's."""
        found = checkpoint.newest(folder, step.artifact)
        if found is None:
            return Reading({}, "evaluate", (f"the run left nothing that matches {step.artifact}",))
        place, log = order.run.root / "evaluate", order.run.root / f"evaluate-{order.part}.log"
        self.subject.lay_out(self.base_tree, place)
        began = time.time()
        result = self.run_step(step, order, place, log, str(found))
        if result.exit_code != 0:
            return Reading({}, "evaluate", (f"the evaluator ended with exit code {result.exit_code}",))
        backend = "log" if self.spec.metric.backend == "auto" else self.spec.metric.backend
        where = Place(place, log, began, time.time())
        return replace(read_metrics(backend, self.spec.metric.options, where, self.spec.wanted), backend="evaluate")

    def guard(self, order: Order) -> str:
        """Why the guard does not let a candidate pass; nothing where it does, or there is none."""
        step = self.spec.guard
        if step is None:
            return ""
        place, log = order.run.root / "guard", order.run.root / "guard.log"
        self.subject.lay_out(order.tree, place)
        result = self.run_step(step, order, place, log)
        ended = "took too long" if result.timed_out else f"ended with exit code {result.exit_code}"
        return "" if result.exit_code == 0 and not result.survivors else f"the guard {ended}"

    def run_step(self, step: StepSpec, order: Order, place: Path, log: Path, artifact: str = "") -> ProcessResult:
        """A further command, under the same watchdog; nothing that the run itself may write to is open to it."""
        private = self.home.private(f"{order.slot}-step")
        emptied(private)
        found = environment(self.spec, order.run.root.name, place, private, order.seed)
        values = {"artifact": artifact, "seed": str(order.seed)}
        command = Command(
            argv=tuple(filled(word, values) for word in step.argv),
            target=None,
            cwd=place,
            env={**found, "AR_ARTIFACT": artifact},
            owner=str(self.home.root),
            confinement=confinement(self.spec, (place, private)),
        )
        return run(command, replace(self.limits(), wall_s=step.seconds), Output(log), interruption=self.interruption)


def is_full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < ROOM_BYTES


def kept(path: Path) -> Measurement | None:
    record = read_record(path)
    try:
        return Measurement.from_record(record) if record else None
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def note_unclean(home: Home, name: str, result: ProcessResult) -> None:
    write_record(home.unclean, {"run": name, "processes": [vars(each) for each in result.survivors]})
