"""`flagstone setup --from FOLDER`: takes over an experiment of `ar`."""

from __future__ import annotations

import json
import os

import click

from flagstone.cli.experiments.selection import refuse_invalid_name
from flagstone.cli.plan_options import plan_with_options
from flagstone.cli.setup.settling import SetupCall
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import OpenedExperiment
from flagstone.plans import Home, with_end
from flagstone.setup import check_plan, create_experiment, foreign_experiment, with_parameters
from flagstone.text import one_line


def taken_over(call: SetupCall, name: str | None) -> OpenedExperiment | None:
    """The experiment that goes on from the best of the other. Nothing is asked; options beat what it says.

    With --json, it prints the spec and returns None.
    """
    folder, given = call.given["plan"], call.given
    foreign = foreign_experiment(folder)
    if foreign is None:
        raise FlagstoneError(f"{folder} is no experiment of ar", hint="name its folder: --from .autoresearch/SLUG")
    plan = foreign.plan(call.python, given["metric"], given["direction"])
    value = plan_with_options(plan, call.argv, {**given, "plan": None, "root": None})
    value = with_end(with_parameters(value, call.root, given["parameters"]))
    if given["as_json"]:
        click.echo(json.dumps({"ready": True, "spec": value}, ensure_ascii=False))
        return None
    check_plan(value, call.schemas, str(folder))
    chosen = name or folder.resolve().name
    refuse_invalid_name(chosen)
    home = Home(call.folder / chosen, call.base)
    for note in foreign.notes:
        click.echo(f"note: {one_line(note, 400)}")
    opened = create_experiment(home, value, call.schemas, foreign.files)
    click.echo(f"created {os.path.relpath(home.spec)}")
    return opened
