"""`flagstone experiment`: improves one number, unattended."""

from __future__ import annotations

import difflib
import importlib

import click

from flagstone.errors import FlagstoneError

VERBS = {
    "new": "set up an experiment in a project or a run",
    "run": "propose, measure, keep or discard, until a stopping condition is met",
    "step": "evaluate the working files as they are now",
    "status": "show how far it is",
    "tail": "show the end of a run's log, with its exception",
    "board": "open TensorBoard on what was written",
    "report": "show what was tried and what each edit gained",
    "replay": "measure a candidate again",
    "diff": "show what differs between two candidates",
    "chain": "start the next experiment from this one's best",
    "resume": "continue after a stop or a crash",
    "stop": "end the experiment after the current run",
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
    """Improve one number by editing a declared set of files. No person has to watch.

    \b
    flagstone experiment new lr --metric val_loss --mutable train.py -- python train.py
    flagstone experiment run lr
    """
