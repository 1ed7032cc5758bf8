"""The job of the stage rules: builds one stage of a run, and reports it on the terminal and in the log."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from flagstone.agents import Event, agent_named
from flagstone.agents.accounts import LOG, spending_of
from flagstone.cli.jobs.job_log import open_job_log
from flagstone.drafting import StageContext, StageWork, build
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.gates import RunConfig, open_run
from flagstone.layout import Run
from flagstone.processes import restore_keyboard_interrupt
from flagstone.settings import find_project
from flagstone.stages import Stage
from flagstone.status import refresh_derived

LOOK_EVERY_S = 1.0


def main(words: list[str]) -> int:
    """Exit codes: 0 published, 2 yours to fix, 3 the work failed, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="stage.py", description="Builds one stage of a run.")
    parser.add_argument("stage", help="the stage, such as 03")
    parser.add_argument("--offer", required=True, type=Path, help="stages/NN_name.json of the run")
    parser.add_argument("--log", required=True, type=Path, help="a file that gets all output as well")
    asked = parser.parse_args(words)
    restore_keyboard_interrupt()
    signal.signal(signal.SIGTERM, stop)
    run = Run(asked.offer.absolute().parent.parent)
    with open_job_log(asked.log) as say:
        try:
            build_one(run, asked.stage, say)
        except (Interrupted, KeyboardInterrupt):
            goes_on = "the same command continues where it stopped"
            say(f"stage {asked.stage} was stopped; {'the run is aborted' if run.aborted.exists() else goes_on}")
            return Interrupted.exit_code
        except FlagstoneError as error:
            say(error.problem)
            say(error.hint)
            return error.exit_code or WorkFailed.exit_code  # for Snakemake a stage that is paused has not been built
    return 0


def build_one(run: Run, word: str, say: Callable[[str], None]) -> None:
    """Builds the stage. Refreshes what is derived before, for the prompt, and after, whether it succeeds or fails."""
    scripts = os.environ.get("FLAGSTONE_SCRIPTS")
    project = find_project(Path(scripts) if scripts else run.root)
    opened = open_run(project, run, validate=False)
    stage = opened.table.find(word)
    settings = opened.settings.for_stage(stage.nr)

    began, spent = time.monotonic(), SoFar(run.logs / LOG)

    def show(event: Event) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        say(f"  {stage.nr} {minutes:02d}:{seconds:02d} {spent.words()} {event.kind:<8} {event.text}")

    refresh_derived(opened)
    try:
        agent = partial(agent_named, settings.agent, settings.options)
        judging = opened.settings.for_review(stage.nr)
        judge = partial(agent_named, judging.agent, judging.options)
        work = own_work(opened, stage, say)
        done = build(opened, stage, StageContext(agent, say, show, partial(sleep_unless_aborted, run), work, judge))
    finally:
        refresh_derived(opened)
    say(f"stage {stage.nr} {stage.name}: {done}")


def own_work(opened: RunConfig, stage: Stage, say: Callable[[str], None]) -> StageWork:
    """What Flagstone itself does for the stage."""
    if stage.is_release:
        from flagstone.bundle import begin_release, release_checks  # here, not above: it is for one stage

        begin = partial(begin_release, opened, stage)
        return StageWork(begin, checks=lambda: tuple(release_checks(opened, stage)))
    if not stage.work:
        return StageWork()
    from flagstone.cli.jobs.campaign import stage_work  # here, not above: most stages have none

    return stage_work(opened.run, stage, say)


class SoFar:
    """The cost of the run so far. It is read again only when a call has ended."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.size = -1
        self.text = ""

    def words(self) -> str:
        """The cost, as short as possible. A plus sign means that there are calls of unknown cost."""
        size = self.log.stat().st_size if self.log.exists() else 0
        if size != self.size:
            so_far = spending_of(self.log)
            self.size, self.text = size, f"${so_far.known_usd:.2f}{'+' if so_far.cost_usd is None else ''}"
        return self.text


def sleep_unless_aborted(run: Run, pause_s: float) -> None:
    """Sleeps for hours if need be. A person who aborts the run need not wait for that."""
    end_s = time.time() + pause_s
    while not run.aborted.exists() and (left_s := end_s - time.time()) > 0:
        time.sleep(min(left_s, LOOK_EVERY_S))


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted("asked to stop", hint="the same command continues where it stopped")
