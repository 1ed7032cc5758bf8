"""`flagstone paper`: what Flagstone does to a paper, by hand."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "audit": "hold every number of a paper against what it may print, or any PDF against a folder of results",
    "build": "build the paper of a run, and check it",
    "cite": "find works to cite, and check that they are what they are said to be",
    "facts": "show every number that a paper may print, and where it comes from",
    "lint": "show what its source may not hold, line by line",
}


@click.group(cls=CommandGroup, helps=VERBS, folders=dict.fromkeys(VERBS, "paper."))
def command() -> None:
    """Look at the paper of a run: its numbers, and what is wrong with them.

    \b
    flagstone paper facts
    flagstone paper facts attn --json
    """
