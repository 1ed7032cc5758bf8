"""`flagstone setup`: looks at a project, asks what is unclear, and writes an experiment that is checked to run."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from flagstone import schemas
from flagstone.cli.experiments.check import check, say_rows
from flagstone.cli.experiments.new import is_paid
from flagstone.cli.experiments.selection import experiment_folder, refuse_invalid_name
from flagstone.cli.jobs.owner import owner_of, schemas_of
from flagstone.cli.location import Location
from flagstone.cli.plan_options import plan_options, plan_with_options
from flagstone.cli.setup.flags import answers_of_flags, remaining_options, setup_options
from flagstone.cli.setup.settling import SetupCall, member_of_call, questions_of, settled_by_call, settled_start
from flagstone.cli.setup.takeover import taken_over
from flagstone.cli.setup.terminal import ask_name, ask_questions, is_terminal
from flagstone.errors import FlagstoneError
from flagstone.experiments.checking import CheckRequest
from flagstone.experiments.engine import OpenedExperiment, open_experiment
from flagstone.plans import Home, command_of, with_end
from flagstone.settings import merge
from flagstone.setup import check_plan, create_experiment, root_of_project, with_parameters
from flagstone.setup.interview import (
    Settled,
    SetupProposal,
    SetupQuestion,
    all_questions,
    default_name,
    environment_problem,
    finding_lines,
    findings_record,
    held_findings,
    next_free_name,
    open_questions,
    open_rounds,
    proposal_of,
    script_view,
    with_defaults,
    with_searched_arguments,
)
from flagstone.text import one_line


class SetupCommand(click.Command):
    """The words after -- are the project's command, also if no name stands before them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["argv"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])


@click.command(cls=SetupCommand)
@click.argument("name", required=False, metavar="[NAME] [-- COMMAND …]")
@setup_options
@plan_options
@click.pass_context
def command(ctx: click.Context, /, name: str | None, **given: Any) -> None:
    """Set up an experiment for the project around here: look, ask what is unclear, write it, and check it.

    No code of the project is run before the check, and nothing outside of .flagstone is written.

    \b
    flagstone setup
    flagstone setup lr --yes --seconds 600
    flagstone setup lr --answers answers.yaml --yes
    flagstone setup --json
    flagstone setup -- ./train.sh
    flagstone setup --from .autoresearch/251201-lr
    """
    if name is not None:
        refuse_invalid_name(name)
    call = setup_call(ctx.obj, ctx.meta["argv"], given)
    if given["plan"] and given["plan"].is_dir():
        if opened := taken_over(call, name):
            finish(call, opened, ())
        return
    call, settled = settled_by_call(call)
    if given["as_json"]:
        click.echo(json_answer(call, settled, name))
        return
    for line in finding_lines(held_findings(settled, answers_of_flags(given, call.argv))):
        click.echo(line)
    for warning in settled.look.environment.facts.warnings:
        click.echo(f"note: {one_line(warning)}")
    for skipped in settled.look.skipped[:3]:
        click.echo(f"not read    {one_line(skipped)}")
    call, settled = ask_what_is_open(call, settled)
    home = home_for(call, settled, name)
    proposal = full_proposal(call, settled)
    if home.spec.exists():
        finish(call, open_experiment(home, call.schemas), ())
    else:
        finish(call, write(call, settled, home, proposal), proposal.own_command)


def setup_call(location: Location, argv: tuple[str, ...], given: dict[str, Any]) -> SetupCall:
    if given["run_name"]:
        folder, base = experiment_folder(location, given["run_name"])
        return SetupCall(given, argv, base, folder, base, schemas_of(base))
    root = root_of_project(location.here / (given["root"] or "."), Path.home())
    return SetupCall(given, argv, root, root / ".flagstone" / "experiments", root, schemas_of(root))


def json_answer(call: SetupCall, settled: Settled, name: str | None) -> str:
    """What is found and still open, and the spec if nobody but a script is needed for it."""
    rounds = open_rounds(settled, call.ask)
    is_whole = not unsure_questions(open_questions(settled))
    proposal = full_proposal(call, with_defaults(settled, all_questions(settled))) if is_whole else None
    named = f" {name}" if name else ""
    line = "flagstone setup --json --answers -" if rounds else f"flagstone setup{named} --answers - --yes"
    return script_view(settled, rounds, proposal, line)


def unsure_questions(questions: Iterable[SetupQuestion]) -> list[SetupQuestion]:
    """The questions whose default may not be taken without a person."""
    return [each for each in questions if not each.is_sure or each.default is None]


def ask_what_is_open(call: SetupCall, settled: Settled) -> tuple[SetupCall, Settled]:
    """Asks round by round until nothing is open, and takes the defaults of the rest."""
    while rounds := open_rounds(settled, call.ask):
        refuse_open(call, settled)
        if call.given["is_accepted"]:
            settled = with_defaults(settled, {each.id: each for each in rounds[0]})
        else:
            settled = ask_questions(settled, rounds[0], call.schemas)
        settled = settled_start(call, settled)
        if member_of_call(call, settled):
            call, settled = settled_by_call(call, settled.answers)
    return call, with_defaults(settled, all_questions(settled))


def refuse_open(call: SetupCall, settled: Settled) -> None:
    """Raises an error that names the flag of each question that nobody is there to answer."""
    is_accepted = call.given["is_accepted"]
    if call.ask != "none" and not is_accepted and is_terminal():
        return
    every = open_questions(settled, call.ask)
    missing = {each.id: each for each in (unsure_questions(every) if is_accepted else every)}
    environment = missing.pop("environment", None)
    listed = "; ".join(f"{each.id} ({each.flag})" for each in missing.values())
    if environment:
        also = f"\nalso open: {listed}" if missing else ""
        raise FlagstoneError(f"{environment_problem(settled)}{also}", hint=f"give {environment.flag}")
    if missing:
        raise FlagstoneError(
            f"still open: {listed}",
            hint="give these flags, or --answers FILE; flagstone setup --json shows the questions",
        )


def home_for(call: SetupCall, settled: Settled, name: str | None) -> Home:
    """The folder of the new experiment, or of the one that a person wants to go on with."""
    asked = name or settled.answers.get("name")
    chosen = asked or default_name(settled.topic or call.root.name, time.time())
    refuse_invalid_name(chosen)
    if os.path.lexists(call.folder / chosen):
        free = next_free_name(call.folder, chosen)
        if is_terminal() and not call.given["is_accepted"]:
            chosen = ask_name(chosen, free)
        elif asked:
            raise FlagstoneError(
                f"experiment {chosen!r} already exists",
                hint=f"go on with it: {command_of(Home(call.folder / chosen, call.base), 'run')}; "
                f"or take the next free name: flagstone setup {free}",
            )
        else:
            chosen = free
    return Home(call.folder / chosen, call.base)


def full_proposal(call: SetupCall, settled: Settled) -> SetupProposal:
    """The proposal with the options that no question is about."""
    proposal = proposal_of(settled)
    plan = schemas.read_yaml(call.given["plan"]) if call.given["plan"] else {}
    value = merge(proposal.value, plan if isinstance(plan, dict) else {})
    value = plan_with_options(value, (), remaining_options(call.given))
    value, texts = with_searched_arguments(value, call.given["parameters"])
    return replace(proposal, value=with_end(with_parameters(value, call.root, texts)))


def write(call: SetupCall, settled: Settled, home: Home, proposal: SetupProposal) -> OpenedExperiment:
    check_plan(proposal.value, call.schemas, "the spec")
    if (call.root / ".flagstone").is_symlink():
        click.echo(
            f"note: .flagstone is a link: the experiment is written to {one_line(os.path.realpath(home.spec.parent))}"
        )
    record = findings_record(settled, questions_of(settled), proposal.notes)
    click.echo(f"command     {one_line(shlex.join(proposal.value['harness']['argv']), 400)}")
    for note in proposal.notes:
        click.echo(f"note: {one_line(note, 400)}")
    opened = create_experiment(home, proposal.value, call.schemas, {**proposal.files, "findings.json": record})
    click.echo(f"created {os.path.relpath(home.spec)}")
    return opened


def finish(call: SetupCall, opened: OpenedExperiment, own: tuple[str, ...]) -> None:
    """Checks the experiment, if that is wanted, and ends with the one next command.

    `own` is the project's own command, whose number is compared.
    """
    say_of_agent(opened)
    wanted = call.given["is_checked"]
    if wanted is None:
        wanted = call.given["is_accepted"] or not is_terminal() or click.confirm("check it now?", default=True)
    if not wanted:
        click.echo(f"next: {next_command(call, opened, 'check')}")
        return
    expected = call.given["expected"]
    found = check(opened, CheckRequest(expected=expected, own=() if expected else own))
    say_rows(opened, found, next_command(call, opened, "step" if opened.spec.proposer == "none" else "run"))
    click.get_current_context().exit(found.exit)


def say_of_agent(opened: OpenedExperiment) -> None:
    """Says what keeps the agent from proposing, and that nothing limits its costs, before a night is left to it."""
    if not opened.spec.has_agent or os.environ.get("CLAUDE_CODE_SESSION_ID"):
        return
    owner = owner_of(opened.home.base)
    if is_paid(opened.spec.merged, owner):
        click.echo("note: nothing limits what the agent costs: set stopping.cost_usd in experiment.yaml (--cost-usd N)")
    try:
        owner.proposer(opened.spec)
    except FlagstoneError as error:
        click.echo(f"note: an agent proposes the edits. {error.problem}: {error.hint}")


def next_command(call: SetupCall, opened: OpenedExperiment, verb: str) -> str:
    """The next command, as it is given from where the person stands."""
    if verb != "check" and os.environ.get("CLAUDE_CODE_SESSION_ID") and not call.given["run_name"]:
        return f"/flagstone:run {opened.home.name}"
    line, here = command_of(opened.home, verb), Path.cwd()
    return line if here.is_relative_to(opened.home.base) else f"cd {shlex.quote(str(opened.home.base))} && {line}"
