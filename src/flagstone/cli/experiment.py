"""`flagstone experiment`: one number, improved unattended."""

from __future__ import annotations

import difflib
import importlib

import click

from flagstone.errors import FlagstoneError

VERBS = {
    "new": "set up an experiment in a project or a run",
    "run": "propose, run, measure, keep or leave, until a condition ends it",
    "step": "evaluate what stands in the working files now",
    "status": "where it stands",
    "tail": "the end of a run's log, with its exception",
    "report": "what was tried, what it changed and what it bought",
    "replay": "measure a candidate once more, as it was",
    "diff": "what differs between two candidates",
    "chain": "start the next experiment from this one's best",
    "resume": "go on after a stop or a crash",
    "stop": "end after the run under way",
}


class Verbs(click.Group):
    """Loads a verb's module only when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            close = difflib.get_close_matches(name, VERBS, n=1)
            if close:
                raise FlagstoneError(
                    f"there is no command {name!r}", hint=f"did you mean: flagstone experiment {close[0]}"
                )
            return None
        command = importlib.import_module(f"flagstone.cli.experiments.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs)
def command() -> None:
    """Improve one number by editing a declared set of files, unattended.

    \b
    flagstone experiment new lr --metric val_loss --mutable train.py -- python train.py
    flagstone experiment run lr
    """
