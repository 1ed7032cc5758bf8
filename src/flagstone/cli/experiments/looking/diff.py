"""`flagstone experiment diff`: shows what differs between two candidates."""

from __future__ import annotations

import click

from flagstone.cli.experiments.selection import experiment_argument, no_such_run, open_chosen_experiment
from flagstone.cli.location import Location
from flagstone.experiments.candidates import kept_candidate
from flagstone.experiments.engine import OpenedExperiment
from flagstone.experiments.ledger import History, find_entry
from flagstone.plans import RUN_ID
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.argument("before", metavar="[BEFORE]", required=False)
@click.argument("after", metavar="[AFTER]", required=False)
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, before: str | None, after: str | None) -> None:
    """Show what AFTER changed compared with BEFORE. Each is a run (r0007), `base`, `best` or `parent`.

    \b
    flagstone experiment diff lr                 the best against the base
    flagstone experiment diff lr r0007           r0007 against its parent
    flagstone experiment diff lr r0003 r0007
    """
    if name and (RUN_ID.match(name) or name in ("base", "best")):
        name, before, after = None, name, before
    opened = open_chosen_experiment(location, name, run_name)
    newer = after or before or "best"
    older = before if after else "base" if newer == "best" else "parent"
    text = opened.subject.diff(tree_of(opened, older or "base", newer), tree_of(opened, newer, newer))
    click.echo(printable_text(text) if text else f"nothing differs between {older} and {newer}", nl=not text)


def tree_of(opened: OpenedExperiment, word: str, of: str) -> str:
    """The tree that a word names, from the ledger; from the proposal while the run has no verdict yet."""
    best = History.read(opened.home).progress.best
    if word == "base" or (word == "best" and best is None):
        return opened.base.tree
    if word == "best" and best is not None:
        return best.tree
    run = of if word == "parent" else word
    entry = find_entry(opened.home.ledger, run)
    if entry is not None:
        return entry.tree if word != "parent" else tree_of(opened, entry.parent_run or "base", of)
    candidate = kept_candidate(opened.home.run(run))
    if candidate is None:
        raise no_such_run(opened.home, run)
    return candidate.parent_tree if word == "parent" else candidate.snapshot.tree
