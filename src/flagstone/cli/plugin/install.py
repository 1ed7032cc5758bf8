"""`flagstone plugin install`: installs the plugin in Claude Code, after a person said yes to the commands."""

from __future__ import annotations

import shlex
import shutil

import click

from flagstone.cli.location import Location, need_terminal
from flagstone.cli.plugin.installation import INSTALL, install_commands, run_command
from flagstone.errors import FlagstoneError


@click.command()
@click.option(
    "--scope",
    type=click.Choice(["user", "project", "local"]),
    default="user",
    show_default=True,
    help="For whom: you everywhere, all who work on this project, or you in this project.",
)
@click.option("-y", "--yes", "is_agreed", is_flag=True, help="Run the two commands without a question.")
@click.pass_obj
def command(location: Location, scope: str, is_agreed: bool) -> None:
    """Show the two commands that install the plugin in Claude Code, and run them after a yes.

    \b
    flagstone plugin install
    flagstone plugin install --scope project
    """
    commands = install_commands(scope)
    for argv in commands:
        click.echo(shlex.join(argv))
    if shutil.which("claude") is None:
        raise FlagstoneError("Claude Code is not on the PATH", hint=f"install it: {INSTALL}")
    if not is_agreed:
        need_terminal("give the two commands above yourself, or the same with --yes", "the commands need a yes")
        if not click.confirm("run them?", default=False):
            click.echo("nothing was installed")
            return
    for argv in commands:
        run_command(argv, location.here)
    click.echo("installed; a session that is open has it after a restart\nnext: /flagstone:setup in Claude Code")
