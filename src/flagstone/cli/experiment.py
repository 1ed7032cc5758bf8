"""`flagstone experiment`: improves one number, unattended."""

from __future__ import annotations

import click

from flagstone.cli.command_group import CommandGroup

VERBS = {
    "new": "set up an experiment in a project or a run",
    "check": "prove that what is edited is what is measured",
    "run": "propose, measure, keep or discard, until a stopping condition is met",
    "step": "evaluate the working files as they are now",
    "drive": "let a session of Claude Code make the runs",
    "wait": "wait for the verdict of a step",
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

LOOKING = ("status", "tail", "board", "report", "diff")
FOLDERS = dict.fromkeys(VERBS, "experiments.") | dict.fromkeys(LOOKING, "experiments.looking.")


@click.group(cls=CommandGroup, helps=VERBS, folders=FOLDERS)
def command() -> None:
    """Improve one number by editing a declared set of files. No person has to watch.

    \b
    flagstone experiment new lr --metric val_loss --mutable train.py -- python train.py
    flagstone experiment run lr
    """
