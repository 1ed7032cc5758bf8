"""`flagstone marker init`: looks at a repository, and proposes a marker."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.markers.first_numbers import checked_markers, new_marker_answer
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command, print_line
from flagstone.errors import FlagstoneError, suggestion
from flagstone.markers import Metric, Proposal, add_marker, marker_names, metric_of, proposals_at, tool_in

DIRECTIONS = {"lower": "min", "higher": "max"}
EXAMPLE = "flagstone marker init NAME --command 'make bench' --extract 'tail -n 1' --direction lower --mutable 'src/**'"
NO_GUARD = "-"


@marker_command
@click.option("--improve", metavar="WHAT", help="Which proposal to take: coverage, lint, tests, build-time, …")
@click.option("--list", "is_listed", is_flag=True, help="Show the proposals, and add none.")
@click.option("-y", "--yes", "is_accepted", is_flag=True, help="Take the first proposal as it is, and ask nothing.")
@click.option("--check", "is_check", is_flag=True, help="Add nothing: measure the markers that are there once.")
@click.option("--description", help="What should become better, in words. The agent is told.")
@click.option("--command", "line", help="A shell command of your own that is measured.")
@click.option("--extract", help="A shell command that reads the number from what that prints.")
@click.option("--direction", type=click.Choice(list(DIRECTIONS)), help="Whether less or more is better.")
@click.option(
    "--ok-exit", type=click.IntRange(0, 255), multiple=True, help="An exit code that is no crash (repeatable)."
)
@click.option("--empty", type=float, help="The number if --extract prints nothing.")
@click.option("--timing/--no-timing", default=None, help="Whether the number is a time.")
@click.option("--target", type=float, help="A number that is good enough.")
@click.option("--mutable", multiple=True, metavar="GLOB", help="Files that may change (repeatable).")
@click.option("--immutable", multiple=True, metavar="GLOB", help="Files among them that may not (repeatable).")
@click.option("--guard", metavar="COMMAND", help="What must succeed before a change is kept ('' for nothing).")
def command(chosen: Chosen, is_listed: bool, is_accepted: bool, is_check: bool, **given: Any) -> Answer:
    """Add a marker to .flagstone/config.yaml. What is proposed comes from the files of the project around here.

    The command of the marker is run once, on the last commit, and its number becomes metric.baseline.

    \b
    flagstone marker init
    flagstone marker init --improve lint -y
    flagstone marker init speed --command ./bench.sh --extract 'tail -n 1' --direction lower --mutable 'src/**'
    flagstone marker init --check
    """
    repository = chosen.repository
    if is_check:
        return checked_markers(repository, chosen.name)
    here = repository if chosen.called else (chosen.location.here / (chosen.repo or "")).resolve()
    taken = [] if chosen.name else marker_names(repository)
    proposals = [each for each in proposals_at(repository, here) if each.name not in taken]
    if is_listed:
        return listing(proposals)
    asks = has_terminal() and not is_accepted
    if asks and not (given["line"] or given["improve"]):
        given |= answers_about_number(proposals)
    proposal = choice(proposals, given, is_accepted=is_accepted)
    proposal = with_options(replace(proposal, name=chosen.name or proposal.name), given)
    proposal = complete_proposal(proposal, given) if asks else proposal
    refuse_incomplete(proposal)
    proposal = replace(proposal, keeps_guard=given["guard"] is not None)
    return new_marker_answer(chosen, add_marker(repository, proposal, schemas_of(repository), print_line))


def listing(proposals: Sequence[Proposal]) -> Answer:
    text = proposals_text(proposals) or f"nothing is proposed; measure a command of your own:\n{EXAMPLE}"
    return Answer([each.row(is_tccw=False) for each in proposals], text)


def proposals_text(proposals: Sequence[Proposal]) -> str:
    width = max((len(each.name) for each in proposals), default=0)
    return "\n".join(f"{nr:3}  {each.name:{width}}  {each.metric.command}" for nr, each in enumerate(proposals, 1))


def has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not click.get_current_context().meta.get("json")


def answers_about_number(proposals: Sequence[Proposal]) -> dict[str, Any]:
    """Asks what should become better. The answers are those that options would give."""
    if proposals:
        click.echo(f"{proposals_text(proposals)}\n{len(proposals) + 1:3}  a command of your own")
        number = click.prompt("what should become better", type=click.IntRange(1, len(proposals) + 1), default=1)
        if number <= len(proposals):
            return {"improve": proposals[number - 1].name}
    line = click.prompt("the command that is measured")
    if tool_in(line):
        return {"line": line}
    extract = click.prompt("the command that reads the number from what it prints", default="tail -n 1")
    return {
        "line": line,
        "extract": extract,
        "direction": click.prompt("better is", type=click.Choice(list(DIRECTIONS))),
    }


def choice(proposals: Sequence[Proposal], given: Mapping[str, Any], *, is_accepted: bool) -> Proposal:
    """The proposal that options name, or the first one if that is accepted."""
    if given["line"]:
        return own_proposal(proposals, given)
    names = [each.name for each in proposals]
    if given["improve"] in names:
        return proposals[names.index(given["improve"])]
    if given["improve"]:
        close, listed = suggestion(given["improve"], names), f"proposed are: {', '.join(names) or 'none'}"
        raise FlagstoneError(f"{given['improve']!r} is not proposed here", hint=f"{close} {listed}".strip())
    if not proposals:
        raise FlagstoneError(
            "found nothing to measure that is no marker yet: no tests, linter, coverage or build of a known kind",
            hint=f"measure a command of your own: {EXAMPLE}",
        )
    if not is_accepted:
        raise FlagstoneError(
            f"what to improve is open ({', '.join(names)}), and there is no terminal to ask on",
            hint=f"choose: flagstone marker init --improve {names[0]}; --list shows every proposal",
        )
    return proposals[0]


def own_proposal(proposals: Sequence[Proposal], given: Mapping[str, Any]) -> Proposal:
    """A command of a person's own. Of a known tool it is known how its number is read, and what may change for it."""
    line, tool = given["line"], tool_in(given["line"])
    missing = [f"--{key}" for key in ("extract", "direction") if not (given[key] or tool)]
    if missing:
        raise FlagstoneError(f"--command needs {' and '.join(missing)} as well", hint=f"for example: {EXAMPLE}")
    if tool is None:
        return Proposal("", Metric(line, given["extract"], "min"), ())
    like = next((each for each in proposals if each.name == tool.what), Proposal(tool.what, Metric("", "", "min"), ()))
    plain = Metric(line, tool.extract, tool.direction)
    return replace(like, metric=plain if given["extract"] else metric_of(line, tool))


def with_options(proposal: Proposal, given: Mapping[str, Any]) -> Proposal:
    """A proposal with what a person gave as options in the place of what was proposed."""
    metric = {key: given[key] for key in ("extract", "empty", "timing", "target") if given[key] is not None}
    metric |= {"direction": DIRECTIONS[given["direction"]]} if given["direction"] else {}
    metric |= {"ok_exit": given["ok_exit"]} if given["ok_exit"] else {}
    fields = {key: given[key] for key in ("description", "guard") if given[key] is not None}
    fields |= {key: given[key] for key in ("mutable", "immutable") if given[key]}
    return replace(proposal, metric=replace(proposal.metric, **metric), **fields)


def complete_proposal(proposal: Proposal, given: Mapping[str, Any]) -> Proposal:
    """Asks for what options have left open: the name, which files may change, and what guards them."""
    name, globs, guard = proposal.name, shlex.join(proposal.mutable), proposal.guard
    if not name:
        name = click.prompt("the name of the marker")
    if not given["mutable"]:
        globs = click.prompt("files that may change", default=globs or None)
    if given["guard"] is None:
        guard = click.prompt(
            f"what must succeed before a change is kept ({NO_GUARD} for nothing)", default=guard or NO_GUARD
        )
    try:
        mutable = tuple(shlex.split(globs))
    except ValueError as error:
        raise FlagstoneError(f"{globs!r} is no list of globs: {error}", hint="separate globs by spaces") from error
    return replace(proposal, name=name, mutable=mutable, guard="" if guard == NO_GUARD else guard)


def refuse_incomplete(proposal: Proposal) -> None:
    missing = "a name" if not proposal.name else "" if proposal.mutable else "files that may change (--mutable)"
    if missing:
        raise FlagstoneError(f"the marker needs {missing}", hint=f"for example: {EXAMPLE}")
