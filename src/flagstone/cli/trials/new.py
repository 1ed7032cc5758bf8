"""`flagstone trials new`: sets up a trial from two versions, or from one and a switch."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import tarfile
from pathlib import Path
from typing import Any

import click
import yaml

from flagstone import schemas
from flagstone.cli.experiments.selection import refuse_invalid_name
from flagstone.cli.jobs.pinned import trial_schemas
from flagstone.cli.location import Location
from flagstone.cli.measurement_options import measurement_options, put, put_measurement
from flagstone.cli.trials.checking import check_trial, print_rows, refuse_if_refuted, rows_in
from flagstone.cli.trials.selection import runnable_spec, trial_command, trials_folder
from flagstone.errors import FlagstoneError
from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.processes import run_quietly
from flagstone.records import write_atomic
from flagstone.setup import make_experiment_folder
from flagstone.trials.planning import refuse_if_wrong

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*=")
ARM = "treated"


@click.command()
@click.argument("name")
@click.argument("argv", nargs=-1, metavar="[-- COMMAND …]")
@click.option("--question", help="What the trial should answer, in words.")
@measurement_options
@click.option("--minimum-effect", help='The smallest improvement that would matter, such as 0.02 or "0.5 sd".')
@click.option("--switch", help='Words for the command, or NAME=VALUE for its environment, such as "--clip 1".')
@click.option("--treated", metavar="DIR|REVISION", help="The treated version: a folder, or a revision of git.")
@click.option("--observe", multiple=True, help="Another metric that the treatment must change (repeatable).")
@click.option("--data", multiple=True, help="A glob of the data that the result belongs to (repeatable).")
@click.option("--scale", multiple=True, help="What must be equal in both arms, such as train_tokens (repeatable).")
@click.option("--gate", type=click.Choice(["confirm", "cohens_d"]), help="How it is decided (default: confirm).")
@click.option("--sequential", is_flag=True, default=None, help="Make one run at a time.")
@click.option("--no-check", "skips_check", is_flag=True, help="Do not run the control once to check the command.")
@click.option("--from", "plan", type=click.Path(path_type=Path), help="A plan (YAML) to start from.")
@click.option("--run", "-r", "run_name", metavar="RUN", help="The run it belongs to (default: this project).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(
    location: Location,
    /,
    name: str,
    argv: tuple[str, ...],
    plan: Path | None,
    run_name: str | None,
    skips_check: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Set up trial NAME for the current project or for a run. The project's own files are never changed.

    \b
    flagstone trials new clip --metric val_loss --minimum-effect 0.02 --switch "--clip 1" \\
        -- python train.py --seed {seed}
    flagstone trials new rewrite --metric seconds --minimum-effect 0.1 --treated ../rewrite -- python bench.py
    """
    refuse_invalid_name(name, "a trial")
    trial = trial_plan_at(trials_folder(location, run_name)[0] / name)
    if trial.path.exists():
        raise FlagstoneError(
            f"trial {name!r} already exists", hint=f"choose another name, or continue it: {trial_command(trial, 'run')}"
        )
    begun = schemas.read_yaml(plan) if plan else {}
    value = plan_with_options(begun if isinstance(begun, dict) else {}, argv, given, trial.base)
    refuse_incomplete(value, given, trial.base, str(plan) if plan else "the options")
    make_experiment_folder(trial.folder.root.parent)
    value |= treatment(given, version_folder(given["treated"], location.here, trial) if given["treated"] else "")
    write_atomic(trial.path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).encode())
    spec = runnable_spec(trial)
    found = None if skips_check else check_trial(trial, spec, rows=8)
    following = trial_command(trial, "plan")
    if as_json:
        click.echo(json.dumps({"trial": name, "plan": str(trial.path), "check": rows_in(found), "next": following}))
    else:
        print_rows(trial, found)
    refuse_if_refuted(trial, found, "plan")
    if not as_json:
        click.echo(f"next: {following}")


def refuse_incomplete(value: dict[str, Any], given: dict[str, Any], base: Path, where: str) -> None:
    """Refuses what is wrong with the options, before anything is written."""
    if "subject" not in value:
        raise FlagstoneError("no file is named in which the arms may differ", hint="name it: --mutable 'train.py'")
    if "minimum_effect" not in value:
        raise FlagstoneError(
            "the smallest improvement that would matter is not named",
            hint='name it: --minimum-effect 0.02, or "0.5 sd"',
        )
    value = {**value, **treatment(given, given["treated"] or "")}
    refuse_if_wrong(value, trial_schemas(base), where)
    if not (value.get("switch") or value.get("arms")):
        raise FlagstoneError(
            "a trial needs a treated version", hint='give what turns it on (--switch "--clip 1"), or --treated DIR'
        )


def plan_with_options(plan: dict[str, Any], argv: tuple[str, ...], given: dict[str, Any], base: Path) -> dict[str, Any]:
    """The plan, with the options that a person gave in place of its own values."""
    value = {key: dict(row) if isinstance(row, dict) else row for key, row in plan.items()}
    metric = given["metric"] or value.get("metric", {}).get("name")
    asked = f"Does the treated version improve {metric}?" if metric else ""
    value = {"question": "", **value} | {"question": given["question"] or value.get("question") or asked}
    put_measurement(value, argv, given)
    if "mutable" not in value.get("subject", {}):
        put(value, "subject", "mutable", programs_in(value, base))
    effect = given["minimum_effect"]
    if effect is not None:
        value["minimum_effect"] = float(effect) if is_number(effect) else effect
    for key in ("observe", "data", "scale", "gate", "sequential"):
        if given[key]:
            value[key] = list(given[key]) if isinstance(given[key], tuple) else given[key]
    return value


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def programs_in(value: dict[str, Any], base: Path) -> tuple[str, ...]:
    """The files of the project that the command names."""
    root = base / value.get("subject", {}).get("root", ".")
    words = value.get("harness", {}).get("argv", ())
    return tuple(word for word in words if not os.path.isabs(word) and (root / word).is_file())


def treatment(given: dict[str, Any], tree: str) -> dict[str, Any]:
    """What the treated arm has: a switch, files of its own, or both."""
    words = shlex.split(given["switch"] or "")
    are_variables = bool(words) and all(VARIABLE.match(word) for word in words)
    switch: Any = dict(word.partition("=")[::2] for word in words) if are_variables else words
    if tree:
        return {"arms": {ARM: {**({"switch": switch} if words else {}), "tree": tree}}}
    return {"switch": switch} if words else {}


def version_folder(version: str, here: Path, trial: TrialPlan) -> str:
    """The folder of the treated version, from the project where it lies in it; that of a revision is made here."""
    folder = (here / version).resolve()
    if not folder.is_dir():
        folder = trial.folder.root / ARM
        unpack_revision(version, trial.base, folder)
    return os.path.relpath(folder, trial.base) if folder.is_relative_to(trial.base) else str(folder)


def unpack_revision(revision: str, project: Path, folder: Path) -> None:
    """Writes the files of a revision into a folder. The work tree and the index of the project stay as they are."""
    argv = ["git", "archive", "--format=tar", f"{revision}^{{commit}}"]
    is_option = revision.startswith("-")
    code, content, stderr = (1, b"", b"") if is_option else run_quietly(argv, project, 120)
    if code:
        why = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no such revision"]
        raise FlagstoneError(
            f"the treated version {revision!r} is neither a folder nor a revision of {project}: {why[0]}",
            hint="give the path of a folder, or a revision that `git log` shows",
        )
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
