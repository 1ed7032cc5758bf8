"""Options that say how one run is made and measured: the same for an experiment and for a trial."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click

from flagstone.plans import direction_of

OPTIONS = (
    click.option("--metric", help="The name of the number, such as val_loss."),
    click.option("--direction", type=click.Choice(["min", "max"]), help="Whether less or more is better."),
    click.option(
        "--backend",
        metavar="auto|log|tensorboard|wandb|json|csv|custom",
        help="Where the number is read from.",
    ),
    click.option("--regex", help="For log: a pattern whose first group is the value."),
    click.option("--tag", help="For tensorboard: the tag."),
    click.option("--glob", "glob_", help="For tensorboard: the event files."),
    click.option("--path", "path_", help="For json and csv: the file."),
    click.option("--code", help="For custom: a file with extract(run_dir, log_text)."),
    click.option("--mutable", multiple=True, help="A file or glob that may be edited (repeatable)."),
    click.option("--protected", multiple=True, help="A file or glob that decides the number and must not change."),
    click.option(
        "--scratch", multiple=True, help="A folder or file that a run writes to; each gets its own (repeatable)."
    ),
    click.option("--entry", help="The file that the command starts (default: the first mutable one)."),
    click.option(
        "--kind", type=click.Choice(["files", "git"]), help="What is edited: a few files, or a git work tree."
    ),
    click.option("--root", help="The project's folder (default: the current one)."),
    click.option("--seconds", type=float, help="The time limit of a run, in seconds."),
    click.option("--gpus", type=int, help="How many GPUs a run needs."),
    click.option("--exclusive/--no-exclusive", default=None, help="Whether no other run goes on meanwhile."),
    click.option("--env", multiple=True, metavar="KEY=VALUE", help="An environment variable for runs (repeatable)."),
    click.option(
        "--constraint", "constraints", multiple=True, help='A limit to keep, such as "peak_vram_mb <= 40000".'
    ),
    click.option("--evaluate", help="A command that scores what a run saved, such as 'python score.py {artifact}'."),
    click.option("--artifact", help="For --evaluate: a glob of the file that a run saves."),
    click.option("--sandbox", type=click.Choice(["require", "auto", "off"]), help="Whether a sandbox holds runs."),
)


def measurement_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a command, in the order in which its help shows them."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def put(value: dict[str, Any], section: str, key: str, item: object) -> None:
    """Sets what a person gave, and leaves alone what they did not."""
    if item not in (None, (), ""):
        value.setdefault(section, {})[key] = list(item) if isinstance(item, tuple) else item


def put_measurement(value: dict[str, Any], argv: tuple[str, ...], given: dict[str, Any]) -> None:
    """Sets in a plan how a run is made and measured."""
    metric = given["metric"]
    for key in ("mutable", "protected", "scratch", "entry", "kind", "root"):
        put(value, "subject", key, given[key])
    put(value, "harness", "argv", argv)
    for key in ("seconds", "gpus", "exclusive"):
        put(value, "harness", key, given[key])
    put(value, "harness", "env", dict(pair.partition("=")[::2] for pair in given["env"]) or None)
    put(value, "metric", "name", metric)
    is_said = given["direction"] or "direction" in value.get("metric", {})
    put(value, "metric", "direction", given["direction"] if is_said or not metric else direction_of(metric))
    for key in ("backend", "regex", "tag", "glob_", "path_", "code"):
        put(value, "metric", key.removesuffix("_"), given[key])
    put(value, "evaluate", "argv", tuple(shlex.split(given["evaluate"] or "")))
    put(value, "evaluate", "artifact", given["artifact"])
    for key in ("sandbox", "constraints"):
        if given[key] not in (None, ()):
            value[key] = list(given[key]) if isinstance(given[key], tuple) else given[key]
