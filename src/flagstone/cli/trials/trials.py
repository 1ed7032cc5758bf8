"""`flagstone trials`: answers whether one version is better than the other."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "new": "set up a trial from two versions, or from one and a switch",
    "plan": "show what it can find and what it takes, before anything runs",
    "run": "make the runs until there is a verdict",
    "status": "show how far it is",
    "report": "show the verdict, and the numbers behind it",
    "verify": "derive everything again from the ledger, and compare",
}


@click.group(cls=CommandGroup, helps=VERBS, folders=dict.fromkeys(VERBS, "trials."))
def command() -> None:
    """Compare a treated version with its control on fresh seeds, with a test that was fixed before.

    \b
    flagstone trials new clip --metric val_loss --minimum-effect 0.02 --switch "--clip 1" -- python train.py
    flagstone trials run clip
    """
