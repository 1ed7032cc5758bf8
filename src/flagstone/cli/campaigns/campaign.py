"""`flagstone campaign`: has ideas for a project, tests them, and writes down what came of it, without a person."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "new": "start a campaign for a project",
    "status": "show how far it is, and what became of each idea",
    "report": "show what it came to, and copy its documents",
}


@click.group(cls=CommandGroup, helps=VERBS, folders=dict.fromkeys(VERBS, "campaigns."))
def command() -> None:
    """Have an agent try up to three ideas on a project, confirm the best of them, and write the paper or the report.

    \b
    flagstone campaign new clip --goal "Lower val_loss" --project ../nano --mutable train.py --metric val_loss \\
        -- python train.py --seed {seed}
    flagstone run clip
    """
