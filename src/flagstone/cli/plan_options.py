"""The options of a whole experiment, and the plan that they make: the same for `experiment new` and `setup`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from flagstone.cli.measurement_options import measurement_options, put, put_measurement
from flagstone.errors import FlagstoneError

OFF = ("off", False)
GOAL = click.option("--goal", help="What the experiment should achieve, in words.")
OPTIONS = (
    click.option("--checkpoint", help="A glob of the files that a run saves."),
    click.option("--guard", help="A command that must succeed before a candidate is kept."),
    click.option(
        "--noise", type=click.Choice(["on", "off"]), help="off: every strictly better number counts as a gain."
    ),
    click.option("--alpha", type=float, help="The accepted chance that the whole experiment ever keeps a false gain."),
    click.option("--baseline-repeats", type=int, help="How many times the baseline is measured."),
    click.option("--max-repeats", type=int, help="How many times a candidate is measured again at most."),
    click.option("--threshold", type=float, help="Stop when the number reaches this value."),
    click.option("--plateau", type=int, help="Stop after this many runs without a gain."),
    click.option("--max-runs", type=int, help="Stop after this many runs."),
    click.option("--wall-h", type=float, help="Stop after this many hours of runs."),
    click.option("--gpu-h", type=float, help="Stop after this many GPU hours."),
    click.option("--cost-usd", type=float, help="Stop after this many US dollars of agent calls."),
    click.option("--proposer", metavar="agent|population|scripted|search|none", help="Who proposes the edits."),
    click.option("--agent", "driver", help="The agent that proposes."),
    click.option("--model", help="The model of that agent."),
    click.option("--script", help="For scripted: a folder of edits, or a Python file."),
    click.option("--lag", type=int, help="How many proposals may wait for their verdict at a time."),
    click.option("--block", type=int, help="Runs in one Snakemake job."),
    click.option("--seed", type=int, help="The seed that the seeds of all runs are drawn from."),
    click.option(
        "--param",
        "parameters",
        multiple=True,
        metavar="NAME=LOW:HIGH[:log]|A,B,…",
        help="A value to search: a word of the command, a constant, or a key of a YAML, JSON or TOML file "
        "(repeatable).",
    ),
    click.option("--scope", multiple=True, help="Advice on what to change, in words (repeatable)."),
    click.option("--from", "plan", type=click.Path(path_type=Path), help="A plan (YAML) to start from."),
    click.option("--run", "-r", "run_name", metavar="RUN", help="The run it belongs to (default: this project)."),
)


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a command, in the order in which its help shows them."""
    for option in reversed(OPTIONS):
        function = option(function)
    return GOAL(measurement_options(function))


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
