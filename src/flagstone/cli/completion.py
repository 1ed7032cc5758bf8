"""`flagstone completion`: prints the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


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
    assert kind is not None
    click.echo(kind(flagstone, {}, "flagstone", "_FLAGSTONE_COMPLETE").source())
