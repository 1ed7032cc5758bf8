"""`flagstone plugin`: the plugin for Claude Code, with which a session sets up and drives experiments."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "install": "install the plugin in Claude Code",
    "status": "show whether Claude Code has it",
    "path": "print where the plugin is",
    "hook": "answer a hook of Claude Code",
}


@click.group(cls=CommandGroup, helps=VERBS, folders=dict.fromkeys(VERBS, "plugin."))
def command() -> None:
    """Use Flagstone inside Claude Code: /flagstone:setup, /flagstone:run and more.

    \b
    flagstone plugin install
    flagstone plugin status
    """
