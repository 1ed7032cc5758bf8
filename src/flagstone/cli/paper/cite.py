"""`flagstone paper cite`: finds works to cite, and checks them at the registries."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "search": "find works that exist",
    "add": "ask for a work to be cited",
    "check": "ask the registries about every work that is to be cited",
    "waive": "let a work pass that is not verified: a person's decision",
}


@click.group(cls=CommandGroup, helps=VERBS, folders=dict.fromkeys(VERBS, "paper.citing."))
def command() -> None:
    """Cite works that exist. Crossref, DataCite, arXiv and OpenAlex say what is printed in the bibliography.

    \b
    flagstone paper cite search mixup empirical risk minimization
    flagstone paper cite add arXiv:1710.09412
    """
