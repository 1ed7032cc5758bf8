"""`flagstone marker finalize`: makes a clean branch of what was kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict

import click

from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command, print_line
from flagstone.markers import FinalizeOptions, FinalizeResult, finalize
from flagstone.text import count_text


@marker_command
@click.option("--branch", metavar="NAME", default="", help="The name of the branch (default: flagstone/<marker>).")
@click.option("--one", "is_one", is_flag=True, help="Make one commit of everything.")
@click.option("--each", "is_each", is_flag=True, help="Make a branch for each edit that is better without the others.")
@click.option("--onto", type=click.Choice(["HEAD"]), help="Start from the commit that is checked out now.")
def command(chosen: Chosen, branch: str, is_one: bool, is_each: bool, onto: str | None) -> Answer:
    """Make a branch of what NAME kept: clean commits of your own, each measured again. Nothing is pushed.

    \b
    flagstone marker finalize coverage
    flagstone marker finalize coverage --each
    """
    if is_one and is_each:
        raise click.UsageError("--one makes one commit, and --each makes several branches: give one of them")
    marker = chosen.marker
    options = FinalizeOptions(branch, "one" if is_one else "each" if is_each else "groups", onto is not None)
    result = finalize(marker, schemas_of(marker.repository), options, print_line)
    lines = next_lines(result, chosen.elsewhere)
    text = "\n".join((*text_lines(result), *(f"next: {line}" for line in lines)))
    return Answer({**asdict(result), "next": lines}, text)


def text_lines(result: FinalizeResult) -> Iterator[str]:
    yield f"{result.marker}: {count_text(len(result.commits), 'commit')} on {', '.join(result.branches)}"
    for each in result.commits:
        before, value = ("no number" if number is None else f"{number:.6g}" for number in (each.before, each.value))
        yield f"  {each.commit[:10]} {before} -> {value}  {each.title} ({', '.join(each.runs)})"
    for lost in result.left_out:
        yield f"  left out: {', '.join(lost.runs)}, {'; '.join(lost.notes)}: {lost.reason}"
    if result.difference:
        yield result.difference
    if result.is_behind:
        yield "HEAD is another commit by now; --onto HEAD puts the result onto that one"


def next_lines(result: FinalizeResult, elsewhere: str) -> list[str]:
    """What a person can do with the branches."""
    lines, git = [], f"git -C {shlex.quote(elsewhere)}" if elsewhere else "git"
    for branch in map(shlex.quote, result.branches):
        lines.append(f"{git} log -p {result.base[:10]}..{branch}")
        if result.remote:
            lines.append(f"{git} push -u {shlex.quote(result.remote)} {branch}")
            lines += [f"gh pr create --head {branch}"] if result.is_on_github else []
        else:
            lines.append(f"{git} merge {branch}")
    return lines
