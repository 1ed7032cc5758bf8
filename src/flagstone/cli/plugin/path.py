"""`flagstone plugin path`: prints where the plugin is."""

from __future__ import annotations

import click

from flagstone.cli.plugin.installation import plugin_folder


@click.command()
def command() -> None:
    """Print the folder of the plugin that belongs to this Flagstone.

    \b
    claude --plugin-dir "$(flagstone plugin path)"
    """
    click.echo(plugin_folder())
