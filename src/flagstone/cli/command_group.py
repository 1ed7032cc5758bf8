"""A group of commands, each in a module that is loaded only when its command is called."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click

from flagstone.errors import FlagstoneError


class CommandGroup(click.Group):
    """`helps` says in one line what each command does; `folders` names the folder of a module, if it has one."""

    def __init__(self, helps: Mapping[str, str], folders: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.helps = helps
        self.folders = folders

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.helps)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.helps:
            close = difflib.get_close_matches(name, self.helps, n=1)
            if close:
                raise FlagstoneError(
                    f"there is no command {name!r}", hint=f"did you mean: {ctx.command_path} {close[0]}"
                )
            return None
        command = importlib.import_module(f"flagstone.cli.{self.folders.get(name, '')}{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.helps.items()))
