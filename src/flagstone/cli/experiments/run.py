"""`flagstone experiment run`: makes runs until a stopping condition is met."""

from __future__ import annotations

import sys
from typing import Literal

import click

from flagstone.cli.amounts import COUNT, seconds_above_0
from flagstone.cli.experiments.check import refuse_if_refuted
from flagstone.cli.experiments.selection import experiment_argument, home_of, open_chosen_experiment, print_progress
from flagstone.cli.jobs.owner import owner_of, schemas_of
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Working
from flagstone.experiments.engine import (
    Engine,
    OpenedExperiment,
    engine_of,
    is_unedited,
    open_experiment,
    run_step,
    start_over,
)
from flagstone.experiments.ledger import Entry, History
from flagstone.plans import Home, command_of, experiment_names
from flagstone.text import count_text, one_line

Start = Literal["continue", "best", "fresh", "resume"]


@click.command()
@experiment_argument
@click.option("--runs", "limit", type=COUNT, help="Make at most this many runs now.")
@click.option("--seconds", type=seconds_above_0, metavar="SECONDS", help="The time limit of a run, for this call.")
@click.option("--agent", "driver", default="", help="The agent that proposes, for this call.")
@click.option("--continue", "evaluates", is_flag=True, help="If you edited the working files, evaluate them first.")
@click.option("--back-to-best", "goes_back", is_flag=True, help="If you edited the working files, restore the best.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Start over. Everything so far moves to the history.")
@click.option("--no-check", "skips_check", is_flag=True, help="Begin although the check of the unedited files fails.")
@click.option("--chain", type=click.IntRange(1), help="Let the agent design further experiments, at most this many.")
@click.pass_obj
def command(
    location: Location,
    name: str | None,
    run_name: str | None,
    limit: int | None,
    seconds: float | None,
    driver: str,
    evaluates: bool,
    goes_back: bool,
    is_fresh: bool,
    skips_check: bool,
    chain: int | None,
) -> None:
    """Run experiment NAME until a stopping condition is met. Ctrl-C ends the current run; nothing is lost.

    \b
    flagstone experiment run lr
    flagstone experiment run lr --runs 20 --seconds 600
    flagstone experiment run lr --chain 3
    """
    start = start_option({"continue": evaluates, "best": goes_back, "fresh": is_fresh})
    if start is None and sys.stdin.isatty() and sys.stdout.isatty():
        start = ask_start(home_of(location, name, run_name))
    if start == "fresh":
        start_over(home_of(location, name, run_name))
    opened = open_chosen_experiment(location, name, run_name, seconds=seconds)
    if not skips_check:
        refuse_if_refuted(opened)
    for further in reversed(range((chain or 0) + 1)):
        ended = work(opened, limit, driver, start)
        if not further or not ended or opened.home.stop.exists():
            return
        child = next_in_chain(opened, driver)
        if child is None:
            return
        opened, start = child, None


def start_option(given: dict[Start, bool]) -> Start | None:
    """How a person wants to begin. Raises an error if they gave more than one way."""
    wanted = [start for start, is_given in given.items() if is_given]
    if len(wanted) > 1:
        raise FlagstoneError("--continue, --back-to-best and --fresh exclude each other", hint="give one of them")
    return wanted[0] if wanted else None


def ask_start(home: Home) -> Start | None:
    """Asks what to do about edited working files. Returns None if nobody edited them."""
    if not home.start.exists():
        return None
    opened, best = open_experiment(home, schemas_of(home.base)), History.read(home).progress.best
    if best is None or Working(home, opened.subject).is_unedited(best.tree):
        return None
    words = "the working files were edited: evaluate them first, restore the best, or start over?"
    found: Start = click.prompt(words, type=click.Choice(["continue", "best", "fresh"]))
    return found


def work(opened: OpenedExperiment, limit: int | None, driver: str, start: Start | None) -> str:
    """Runs one experiment. Returns the stopping condition that ended it, or an empty string."""
    owner = owner_of(opened.home.base)
    with engine_of(opened, owner.proposer(opened.spec, driver), print_progress, owner.accounts(opened.home)) as engine:
        if start == "resume":
            engine.history.count_anew()
        begin(engine, start)
        ended = engine.run(limit)
    say_end(opened, engine, ended)
    return ended


def next_in_chain(parent: OpenedExperiment, driver: str) -> OpenedExperiment | None:
    """The next experiment of a chain: the one that already follows, or one that the agent designs now."""
    from flagstone.experiments.engine import Designer, chain, spent_limit
    from flagstone.experiments.proposers import AgentProposer
    from flagstone.experiments.reporting import report_of

    begun = chain.child_of(parent.home)
    if begun is not None:
        print_progress(f"{begun.name} already follows {parent.home.name}: continuing with it")
        return open_experiment(begun, schemas_of(begun.base))
    proposer = owner_of(parent.home.base).proposer(parent.spec, driver)
    if not isinstance(proposer, AgentProposer):
        raise FlagstoneError(
            f"only an agent can design what follows {parent.home.name}; its proposer is {parent.spec.proposer}",
            hint=f'start it yourself: {command_of(parent.home, "chain")} NEXT --rationale "…"',
        )
    progress, report = History.read(parent.home).progress, report_of(parent)
    if limit := spent_limit(parent, progress):
        print_progress(f"the chain ends here: {limit} of {parent.home.name} is used up")
        return None
    if progress.best is None:
        raise FlagstoneError(
            f"{parent.home.name} has no best to start from", hint=f"see what failed: {command_of(parent.home, 'tail')}"
        )
    print_progress(f"{parent.home.name} has ended; the agent reads its report and designs the next experiment")
    wanted = Designer(proposer, parent, progress).design(report, experiment_names(parent.home.root.parent))
    opened = chain.begin_child(parent, progress.best, report, wanted, schemas_of(parent.home.base))
    print_progress(
        f"{opened.home.name} begins from {parent.home.name}/{progress.best_run}: {one_line(wanted.rationale, 160)}"
    )
    return opened


def begin(engine: Engine, start: Start | None) -> None:
    """Deals with an edit that a person left in the working files."""
    now = engine.history.progress.best
    if is_unedited(engine) or now is None:
        return
    if start in ("continue", "resume"):
        engine.halt_on(run_step(engine, ""))
    elif start == "best":
        engine.working.restore(now.tree)
    else:
        raise FlagstoneError(
            f"the working files in {engine.opened.home.working} were edited, and there is no terminal to ask on",
            hint="give --continue to evaluate them, --back-to-best to set them aside, or --fresh to start over",
        )


def say_end(opened: OpenedExperiment, engine: Engine, ended: str) -> None:
    """Prints the last lines: why it ended, the best, and the next command."""
    progress, metric = engine.history.progress, opened.spec.metric
    best = f"best {metric.name} {progress.best_value:.6g} ({progress.best_run})" if progress.best else "no best"
    click.echo(
        f"{opened.home.name}: {count_text(progress.number, 'run')}, {best}" + (f", ended by {ended}" if ended else "")
    )
    if ended.startswith("proposals("):
        click.echo(f"the last: {one_line(engine.history.recent[-1].reason, 300)}")
        click.echo(f"to continue, correct that, then give: {command_of(opened.home, 'resume')}")
    home = way_home(opened, progress.best)
    if home and ended:
        click.echo(f"to get it as a branch: {home}")
    verb = "resume" if opened.home.stop.exists() else "report" if ended else "run"
    click.echo(f"next: {command_of(opened.home, verb)}")


def way_home(opened: OpenedExperiment, best: Entry | None) -> str:
    """The command that brings the best of a git work tree into a person's checkout; empty if there is none."""
    if opened.spec.subject.kind != "git" or best is None or best.tree == opened.base.tree:
        return ""
    from flagstone.experiments.candidates import GitSource

    assert isinstance(opened.subject.source, GitSource)
    return opened.subject.source.way_home(best.commit, f"{opened.home.name}-{best.run_id}")
