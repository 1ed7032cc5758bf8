"""`flagstone completion`: prints the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from flagstone.errors import FlagstoneError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    eval "$(flagstone completion bash)"
    flagstone completion fish > ~/.config/fish/completions/flagstone.fish
    """
    from flagstone.cli.main import flagstone

    kind = get_completion_class(shell)
    if kind is None:
        raise FlagstoneError(f"there is no completion for {shell}", hint="use bash, zsh or fish")
    click.echo(kind(flagstone, {}, "flagstone", "_FLAGSTONE_COMPLETE").source())
