"""A step in a process of its own: whoever waits for it may be killed, and the step goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.engine.engine import Engine, engine_of
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.engine.step import is_unedited, run_step
from flagstone.experiments.ledger import Accounts
from flagstone.locks import holder_of
from flagstone.plans import Home, command_of, run_id
from flagstone.processes import start_detached
from flagstone.records import decode_or_none, encode, keep, read_as, utc, write_record

ERRORS = {error.exit_code: error for error in (FlagstoneError, WorkFailed, Interrupted)}
LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Step:
    """The step that was started last. `problem` says how it failed; without `ended_at` it runs, or was killed."""

    run: str
    pid: int
    host: str
    began_at: str
    ended_at: str = ""
    problem: str = ""
    hint: str = ""
    exit_code: int = 0

    def is_running(self, home: Home) -> bool:
        """Whether it still holds the experiment. A number of a process alone means nothing outside of a sandbox."""
        holder = holder_of(home.lock) or {}
        return (holder.get("pid"), holder.get("host")) == (self.pid, self.host)

    def end(self, error: FlagstoneError | None) -> Step:
        """The same step at its end, with the error that it ended with."""
        now = replace(self, ended_at=utc(time.time()))
        return replace(now, problem=error.problem, hint=error.hint, exit_code=error.exit_code) if error else now

    def raise_error(self) -> None:
        """Raises the error that it ended with, if any."""
        if self.problem:
            raise ERRORS.get(self.exit_code, FlagstoneError)(self.problem, hint=self.hint)


def start_step(opened: OpenedExperiment, accounts: Accounts, note: str, say: Callable[[str], None]) -> Step:
    """Starts to evaluate the working files. Returns as soon as nothing is in the way of that any more."""
    home = opened.home
    before = read_as(home.step, Step)
    if before and before.is_running(home):
        raise FlagstoneError(
            f"{before.run} of {home.name} is still being evaluated",
            hint=f"wait for it: {command_of(home, 'wait')}; or end it: {command_of(home, 'stop')} --now",
        )

    def work(tell: Callable[[str], None]) -> int:
        begun = Step("", os.getpid(), os.uname().nodename, utc(time.time()))
        try:
            with engine_of(opened, None, say, accounts, tells_interruptions=False) as engine:
                refuse_if_ended(engine)
                begun = replace(begun, run=run_id(number_of_edit(engine)))
                write_record(home.step, vars(begun))
                tell(encode(begun).decode())
                write_record(home.step, vars(begun.end(error_of(engine, note))))
        except FlagstoneError as error:
            if begun.run:
                raise
            tell(encode(begun.end(error)).decode())
        return 0

    keep(home.step_log, b"")
    begun = decode_or_none(start_detached(work, home.step_log).encode(), Step)
    if begun is None:
        raise WorkFailed(f"the step of {home.name} could not start", hint=f"{home.step_log} says why")
    begun.raise_error()
    return begun


def refuse_if_ended(engine: Engine) -> None:
    ended, home = engine.ended_by(), engine.opened.home
    if ended:
        raise FlagstoneError(
            f"experiment {home.name} has ended: {ended}",
            hint=f"raise `stopping` in its experiment.yaml, or run: {command_of(home, 'resume')}",
        )


def number_of_edit(engine: Engine) -> int:
    """The run that the working files will be: before the first one, the unedited files are measured."""
    is_second = engine.history.progress.best is None and not is_unedited(engine)
    return engine.next_number + is_second


def error_of(engine: Engine, note: str) -> FlagstoneError | None:
    """Makes the step. Returns the error that it ends with."""
    try:
        engine.halt_on(run_step(engine, note))
    except FlagstoneError as error:
        return error
    return None


def wait_for_step(home: Home, limit_s: float | None, show: Callable[[str], None]) -> tuple[Step, bool]:
    """Waits for the last step, and shows what it prints. Returns it, and whether it still runs at the time limit."""
    step = read_as(home.step, Step)
    if step is None:
        raise FlagstoneError(f"no step of {home.name} was started", hint=f"start one: {command_of(home, 'step')}")
    began, shown = time.monotonic(), 0
    while True:
        waited_s, is_running = time.monotonic() - began, step.is_running(home)
        shown = show_more(home, shown, show)
        if not is_running or waited_s >= (inf if limit_s is None else limit_s):
            last = read_as(home.step, Step)
            return last if last and last.began_at == step.began_at else step, is_running
        time.sleep(min(LOOK_EVERY_S, max(waited_s / 10, 0.005)))


def show_more(home: Home, shown: int, show: Callable[[str], None]) -> int:
    """Shows what the step has printed after its first `shown` bytes. Returns how many bytes are shown now."""
    try:
        content = home.step_log.read_bytes()
    except OSError:
        return shown
    if len(content) > shown:
        show(content[shown:].decode("utf-8", "replace"))
    return len(content)
