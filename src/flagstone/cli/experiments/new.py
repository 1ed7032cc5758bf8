"""`flagstone experiment new`: sets up an experiment from options or from a plan."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from flagstone import schemas
from flagstone.cli.experiments.selection import experiment_folder, make_experiment_folder, refuse_invalid_name
from flagstone.cli.jobs.owner import Owner, owner_of, schemas_of
from flagstone.cli.location import Location
from flagstone.cli.measurement_options import measurement_options, put, put_measurement
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import OpenedExperiment, open_experiment
from flagstone.plans import MOST_RUNS, Home, MetricSpec, command_of, constraint_of, with_end
from flagstone.records import write_atomic
from flagstone.setup import with_parameters

OFF = ("off", False)
FREE = ("demo", "replay", "command", "scripted")  # agents without a price, or whose price is not known


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("name")
@click.argument("argv", nargs=-1, metavar="[-- COMMAND …]")
@click.option("--goal", help="What the experiment should achieve, in words.")
@measurement_options
@click.option("--checkpoint", help="A glob of the files that a run saves.")
@click.option("--guard", help="A command that must succeed before a candidate is kept.")
@click.option("--noise", type=click.Choice(["on", "off"]), help="off: every strictly better number counts as a gain.")
@click.option("--alpha", type=float, help="The accepted chance that the whole experiment ever keeps a false gain.")
@click.option("--baseline-repeats", type=int, help="How many times the baseline is measured.")
@click.option("--max-repeats", type=int, help="How many times a candidate is measured again at most.")
@click.option("--threshold", type=float, help="Stop when the number reaches this value.")
@click.option("--plateau", type=int, help="Stop after this many runs without a gain.")
@click.option("--max-runs", type=int, help="Stop after this many runs.")
@click.option("--wall-h", type=float, help="Stop after this many hours of runs.")
@click.option("--gpu-h", type=float, help="Stop after this many GPU hours.")
@click.option("--cost-usd", type=float, help="Stop after this many US dollars of agent calls.")
@click.option("--proposer", metavar="agent|population|scripted|search|none", help="Who proposes the edits.")
@click.option("--agent", "driver", help="The agent that proposes.")
@click.option("--model", help="The model of that agent.")
@click.option("--script", help="For scripted: a folder of edits, or a Python file.")
@click.option("--lag", type=int, help="How many proposals may wait for their verdict at a time.")
@click.option("--block", type=int, help="Runs in one Snakemake job.")
@click.option("--seed", type=int, help="The seed that the seeds of all runs are drawn from.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=LOW:HIGH[:log]|A,B,…",
    help="A value to search: a word of the command, a constant, or a key of a YAML, JSON or TOML file (repeatable).",
)
@click.option("--scope", multiple=True, help="Advice on what to change, in words (repeatable).")
@click.option("--from", "plan", type=click.Path(path_type=Path), help="A plan (YAML) to start from.")
@click.option("--run", "-r", "run_name", metavar="RUN", help="The run it belongs to (default: this project).")
@click.pass_obj
def command(
    location: Location, /, name: str, argv: tuple[str, ...], plan: Path | None, run_name: str | None, **given: Any
) -> None:
    """Set up experiment NAME for the current project or for a run. The project's own files are never changed.

    \b
    flagstone experiment new lr --metric val_loss --mutable train.py --seconds 300 -- python train.py
    flagstone experiment new tune --metric val_loss --param lr=1e-4:1e-1:log -- python train.py --lr 0.01
    flagstone experiment new fast --kind git --mutable 'src/**/*.py' --metric seconds --guard 'pytest -q' -- ./bench.sh
    """
    refuse_invalid_name(name)
    base = schemas.read_yaml(plan) if plan else {}
    value = plan_with_options(base if isinstance(base, dict) else {}, argv, given)
    folder, belongs_to = experiment_folder(location, run_name)
    value = with_parameters(value, belongs_to / value.get("subject", {}).get("root", "."), given["parameters"])
    home, pinned = Home(folder / name, belongs_to), schemas_of(belongs_to)
    schemas.check(pinned, "experiment", value, str(plan) if plan else "the options")
    for text in value.get("constraints", ()):
        constraint_of(text)
    if home.spec.exists():
        raise FlagstoneError(
            f"experiment {name!r} already exists",
            hint=f"choose another name, or continue it: {command_of(home, 'run')}",
        )
    value, notes = ending_plan(value, owner_of(belongs_to))
    make_experiment_folder(folder)
    write_atomic(home.spec, yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).encode())
    try:
        opened = open_experiment(home, pinned)
    except FlagstoneError:
        home.spec.unlink()  # so that the corrected command can use the same name
        raise
    click.echo(f"created {home.spec}")
    click.echo(f"working files: {home.working}")
    click.echo(f"command: {program_line(opened)}\nmetric: {metric_words(opened.spec.metric)}")
    if opened.spec.harness.exclusive:
        notes.append("each run waits until no other run of Flagstone goes on here (--no-exclusive)")
    for notice in (*notes, *opened.subject.notices(opened.base)):
        click.echo(f"note: {notice}")
    click.echo(f"next: {command_of(home, 'check')}")


def metric_words(metric: MetricSpec) -> str:
    """The metric with its direction, which may have been taken from the name."""
    return f"{metric.name}, {'less' if metric.direction == 'min' else 'more'} is better"


def ending_plan(value: dict[str, Any], owner: Owner) -> tuple[dict[str, Any], list[str]]:
    """The plan with an end in time and money, and what was set or left open, in words."""
    notes = []
    if is_paid(value, owner):
        stopping, limit = value.get("stopping", {}), asked_cost_usd()
        if limit:
            value = {**value, "stopping": {**stopping, "cost_usd": limit}}
        else:
            notes.append("nothing limits what the agent costs (--cost-usd N)")
    ending = with_end(value)
    if ending is not value:
        notes.append(f"it ends after {MOST_RUNS} runs, because no other end is set (--max-runs N, --plateau N)")
    return ending, notes


def is_paid(value: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an agent that has a price proposes, and neither the plan nor a budget of its run limits that."""
    is_agent = value.get("proposer", "agent") in ("agent", "population") and not value.get("script")
    driver = value.get("agent", {}).get("driver") or owner.agent
    return is_agent and not owner.budgets and driver not in FREE and "cost_usd" not in value.get("stopping", {})


def asked_cost_usd() -> float:
    """What a person lets the agent cost. Returns 0 if there is no limit, or nobody to ask."""
    if not is_terminal():
        return 0
    words = "US dollars that the agent may cost in all (Enter: no limit)"
    limit: float = click.prompt(words, default=0.0, type=click.FloatRange(0), show_default=False)
    return limit


def is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def program_line(opened: OpenedExperiment) -> str:
    """The command, and the program that its first word starts here."""
    argv, program = opened.spec.harness.argv, opened.start["program"]
    line = shlex.join(argv)
    if program is None or (program and "/" in argv[0]):
        return line
    if not program:
        return f"{line} ({argv[0]} is not on the PATH)"
    is_ours = os.path.dirname(program) == os.path.dirname(sys.executable)
    return f"{line} ({argv[0]} is {program}{', the environment of Flagstone' if is_ours else ''})"


def plan_with_options(plan: dict[str, Any], argv: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """The plan, with the options that a person gave in place of its own values."""
    value = {key: dict(row) if isinstance(row, dict) else row for key, row in plan.items()}
    value["goal"] = given["goal"] or value.get("goal") or (f"improve {given['metric']}" if given["metric"] else "")
    put_measurement(value, argv, given)
    for key in ("threshold", "plateau", "max_runs", "wall_h", "gpu_h", "cost_usd"):
        put(value, "stopping", key, given[key])
    for key in ("driver", "model"):
        put(value, "agent", key, given[key])
    put(value, "checkpoint", "glob", given["checkpoint"])
    if "evaluate" in value and "artifact" not in value["evaluate"]:
        put(value, "evaluate", "artifact", value.get("checkpoint", {}).get("glob"))
    if given["guard"]:
        put(value, "guard", "argv", ("bash", "-c", given["guard"]))
    set_noise(value, given)
    for key in ("proposer", "script", "lag", "block", "seed", "scope"):
        if given[key] not in (None, ()):
            value[key] = list(given[key]) if isinstance(given[key], tuple) else given[key]
    return value


def set_noise(value: dict[str, Any], given: dict[str, Any]) -> None:
    """Sets how gains are told from noise. Refuses numbers for it when noise is off."""
    if given["noise"] == "off":
        value["noise"] = "off"
    if given["noise"] == "on" and value.get("noise") in OFF:
        del value["noise"]
    for key in ("alpha", "baseline_repeats", "max_repeats"):
        if given[key] is None:
            continue
        if value.get("noise") in OFF:
            raise FlagstoneError(
                f"--{key.replace('_', '-')} sets how noise is judged, but noise is off",
                hint="leave it out, or give --noise on",
            )
        value.setdefault("noise", {})[key] = given[key]
